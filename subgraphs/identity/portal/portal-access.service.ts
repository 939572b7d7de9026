import { LockMode } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { inviteToActivate } from '../accounts/invitation.service.ts';
import { Membership } from '../membership.entity.ts';
import { checkReason, PORTAL_ROLE } from '../membership.rules.ts';
import { addMember, closeMembership, type MemberChange } from '../membership.service.ts';
import { portalClosed } from '../sign-in.rules.ts';
import { CustomerCopy } from './customer-copy.entity.ts';
import { checkRoomForAccount } from './portal-access.rules.ts';

export interface PortalAccess {
  customerId: string;
  email: string;
  displayName: string;
}

/**
 * Gives somebody a portal account for one customer of this ISP. They are a person of the ISP's own realm, and begin when
 * they have set a password by the mail they get; given again while they have not, it is mailed again.
 * Refuses NOT_FOUND for a customer that is not this tenant's, INVALID_STATE for a closed one, LIMIT_REACHED for the 21st
 * account, CONFLICT for who speaks for the customer already, INVALID for a malformed mail or name, INVALID_STATE while the
 * portal is closed.
 */
export function givePortalAccess(ctx: Context, asked: PortalAccess): Promise<Membership> {
  const { customerId, email, displayName } = asked;
  return ctx.tx(async (em) => {
    refuseInPlatform(ctx);
    if (!(await ctx.setting('portal.self_service'))) throw portalClosed();
    const lock = { lockMode: LockMode.PESSIMISTIC_WRITE };
    const customer = isId(customerId) ? await em.findOne(CustomerCopy, { customerId }, lock) : null;
    if (!customer) throw new Refusal('NOT_FOUND', 'There is no such customer.', 'customerId');
    const user = await inviteToActivate(ctx, em, { realm: ctx.tenantId, email, displayName });
    const open = await em.find(Membership, { customerId, state: { $ne: 'ENDED' } });
    const held = open.find(({ userId }) => userId === user.id);
    if (held?.state === 'INVITED') return held;
    if (held) throw new Refusal('CONFLICT', 'They have access already.', 'email');
    checkRoomForAccount(customer, open.length);
    const isInvited = user.state !== 'ACTIVE';
    const roles = [PORTAL_ROLE];
    const member = await addMember(ctx, {
      id: uuidv7(),
      userId: user.id,
      kind: 'PORTAL',
      roles,
      customerId,
      isInvited,
    });
    emit(em, 'identity.portal_access.given', { customerId, membershipId: member.id });
    return member;
  });
}

/** In the platform portal accounts come and go with a role at the ISP, and by nobody's hand. */
function refuseInPlatform({ isPlatform }: Context): void {
  if (isPlatform) throw new Refusal('INVALID_STATE', 'Portal accounts of the platform come and go with a role.');
}

/** Ends a portal account: its sessions end, and it cannot come back. Refuses NOT_FOUND for who works here. */
export function endPortalAccess(ctx: Context, asked: MemberChange & { reason?: string | null }): Promise<Membership> {
  return ctx.tx(async (em) => {
    refuseInPlatform(ctx);
    const where = { kind: 'PORTAL' };
    const member = await lockOrRefuse(em, Membership, asked.membershipId, 'portal account', {
      ...{ field: 'membershipId', where },
    });
    expectVersion(member.version, asked.expectedVersion, 'account');
    member.version += 1;
    await closeMembership(ctx, em, member, [], checkReason(asked.reason));
    tellGateways(em, 'grants', `membership:${member.id}`);
    return member;
  });
}
