import { hears } from '../_kernel/subgraph.ts';
import { expireDue } from './invitations/invitation.service.ts';

export const subscribers = {
  /** In a sandbox whose clock was moved, what is due is over at once. */
  expireInvitationsOfMoved: hears('tenancy.clock.advanced', (ctx) => ctx.tx((em) => expireDue(em, ctx.now()))),
};
