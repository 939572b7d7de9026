import type { LoggedEvent } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import { hears } from '../_kernel/subgraph.ts';
import { reviewKeys } from './api-keys/key-care.service.ts';
import { joinInvited } from './invitations/join.service.ts';
import { recountStaff } from './membership.service.ts';
import { applySeatLimit } from './seat.service.ts';

type LimitEvent = LoggedEvent<'licensing.limit.reduced'> | LoggedEvent<'licensing.limit.raised'>;

async function applyLimit(ctx: Context, { payload }: LimitEvent): Promise<void> {
  if (payload.key !== 'staff_users') return;
  await applySeatLimit(ctx, payload.version, 'keepIds' in payload ? payload.keepIds : []);
}

export const subscribers = {
  freezeExcessStaff: hears('licensing.limit.reduced', applyLimit),
  thawStaff: hears('licensing.limit.raised', applyLimit),
  /** A licence that follows a revoked one may have fewer seats than that had, and compares itself with nothing. */
  seatStaff: hears('licensing.license.started', (ctx, { payload }) => applySeatLimit(ctx, payload.version, [])),
  /** Whoever made a key may have left, or lost what it carries. */
  reviewKeysOfChanged: hears('identity.membership.changed', reviewKeys),
  reviewKeysOfSuspended: hears('identity.membership.suspended', reviewKeys),
  reviewKeysOfEnded: hears('identity.membership.ended', reviewKeys),
  reviewKeysOfRole: hears('identity.role.changed', reviewKeys),
  reviewKeysOfRevoked: hears('identity.permission.revoked', reviewKeys),
  reviewKeysOfLapsed: hears('identity.permission.lapsed', reviewKeys),
  joinInvited: hears('tenancy.invitation.accepted', joinInvited, { isUrgent: true }),
  recountStaff: hears('licensing.usage.day_closed', (ctx) => recountStaff(ctx)),
};
