import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import { release } from '../../_kernel/quota.ts';
import { Membership } from '../membership.entity.ts';
import { addMember } from '../membership.service.ts';

/**
 * Hears that somebody has accepted an invitation of this tenant and makes them a member, under the invitation's id: the
 * seat was taken under it, and is freed under it. Who works here meanwhile needs no second one.
 */
export function joinInvited(ctx: Context, { payload }: LoggedEvent<'tenancy.invitation.accepted'>): Promise<void> {
  const { invitationId: id, userId, role } = payload;
  return ctx.tx(async (em) => {
    if (await em.findOne(Membership, { id })) return;
    if (await em.findOne(Membership, { userId, kind: 'STAFF', state: { $ne: 'ENDED' } }))
      return release(ctx, em, 'staff_users', 1n, id);
    await addMember(ctx, { id, userId, kind: 'STAFF', roles: [role], takesSeat: false });
  });
}
