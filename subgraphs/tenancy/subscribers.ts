import type { LoggedEvent } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import { hears } from '../_kernel/subgraph.ts';
import { noteWhiteLabel } from './branding/branding.service.ts';
import { expireDue } from './invitations/invitation.service.ts';

type FeatureEvent = LoggedEvent<'licensing.feature.started'> | LoggedEvent<'licensing.feature.ended'>;

const noteFeature = async (ctx: Context, { name, payload }: FeatureEvent) => {
  if (payload.feature === 'white_label') await noteWhiteLabel(ctx, name === 'licensing.feature.started');
};

export const subscribers = {
  showWhiteLabel: hears('licensing.feature.started', noteFeature),
  hideWhiteLabel: hears('licensing.feature.ended', noteFeature),
  /** In a sandbox whose clock was moved, what is due is over at once. */
  expireInvitationsOfMoved: hears('tenancy.clock.advanced', (ctx) => ctx.tx((em) => expireDue(em, ctx.now()))),
};
