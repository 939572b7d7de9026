import type { EventName, LoggedEvent } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import { hears } from '../_kernel/subgraph.ts';
import { reviewKeys } from './api-keys/key-care.service.ts';
import { joinInvited } from './invitations/join.service.ts';
import { recountStaff } from './membership.service.ts';
import { mendStaffCopies } from './membership.steps.ts';
import { followRole } from './portal/account-portal.service.ts';
import { keepCustomer } from './portal/customer-copy.service.ts';
import { inviteFirstAdmin, withdrawFirstAdmin } from './provisioning/first-admin.service.ts';
import { applySeatLimit } from './seat.service.ts';
import { endImpersonationsOf } from './support/impersonation.service.ts';

type LimitEvent = LoggedEvent<'licensing.limit.reduced'> | LoggedEvent<'licensing.limit.raised'>;

async function applyLimit(ctx: Context, { payload }: LimitEvent): Promise<void> {
  if (payload.key !== 'staff_users') return;
  await applySeatLimit(ctx, payload.version, 'keepIds' in payload ? payload.keepIds : []);
}

type MembershipEvent = Extract<EventName, `identity.membership.${string}`>;
type Followed = { [N in MembershipEvent]: LoggedEvent<N> }[MembershipEvent];

async function follow(ctx: Context, { payload }: Followed): Promise<void> {
  if ('userId' in payload) await followRole(ctx, payload);
}

export const subscribers = {
  freezeExcessStaff: hears('licensing.limit.reduced', applyLimit),
  thawStaff: hears('licensing.limit.raised', applyLimit),
  /** A licence that follows a revoked one may have fewer seats than that had, and compares itself with nothing. */
  seatStaff: hears('licensing.license.started', (ctx, { payload }) => applySeatLimit(ctx, payload.version, [])),
  inviteFirstAdmin: hears('tenancy.provisioning.admin_requested', inviteFirstAdmin),
  withdrawFirstAdmin: hears('tenancy.provisioning.undo_requested', (ctx, { payload }) =>
    withdrawFirstAdmin(ctx, payload),
  ),
  /** Whoever made a key may have left, or lost what it carries. */
  reviewKeysOfChanged: hears('identity.membership.changed', reviewKeys),
  reviewKeysOfSuspended: hears('identity.membership.suspended', reviewKeys),
  reviewKeysOfEnded: hears('identity.membership.ended', reviewKeys),
  reviewKeysOfRole: hears('identity.role.changed', reviewKeys),
  reviewKeysOfRevoked: hears('identity.permission.revoked', reviewKeys),
  reviewKeysOfLapsed: hears('identity.permission.lapsed', reviewKeys),
  endImpersonationsOfEnded: hears('identity.session.ended', (ctx, { payload }) =>
    endImpersonationsOf(ctx, payload.sessionId),
  ),
  keepCreatedCustomer: hears('billing.customer.created', keepCustomer),
  keepClosedCustomer: hears('billing.customer.closed', keepCustomer),
  keepReopenedCustomer: hears('billing.customer.reopened', keepCustomer),
  /** Who may speak for an ISP's account does so in the platform's portal. */
  followActivated: hears('identity.membership.activated', follow),
  followChanged: hears('identity.membership.changed', follow),
  followSuspended: hears('identity.membership.suspended', follow),
  followFrozen: hears('identity.membership.frozen', follow),
  followRestored: hears('identity.membership.restored', follow),
  followEnded: hears('identity.membership.ended', follow),
  joinInvited: hears('tenancy.invitation.accepted', joinInvited, { isUrgent: true }),
  recountStaff: hears('licensing.usage.day_closed', (ctx) => recountStaff(ctx)),
  mendStaffCopies: hears('licensing.usage.day_closed', mendStaffCopies),
};
