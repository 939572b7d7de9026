import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { Membership } from '../membership.entity.ts';
import { PORTAL_ROLE } from '../membership.rules.ts';
import { addMember, closeMembership } from '../membership.service.ts';
import { CustomerCopy } from './customer-copy.entity.ts';
import { speaksForAccount } from './portal-access.rules.ts';

/** Who is given a portal of the platform, for which account. */
export interface AccountSpeaker {
  userId: string;
  customerId: string;
  /** Whether they have yet to come. */
  isInvited: boolean;
  runId?: string;
}

/**
 * Lets a person speak in the platform for their ISP's account, in its transaction, unless they do already, or work for the
 * platform and need no portal of it.
 */
export async function speakForAccount(platform: Context, em: EntityManager, asked: AccountSpeaker): Promise<void> {
  const { userId, customerId } = asked;
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`account_portal|${userId}|${customerId}`]);
  const held = { userId, state: { $ne: 'ENDED' } } as const;
  if ((await em.count(Membership, { ...held, $or: [{ kind: 'STAFF' }, { customerId }] })) > 0) return;
  const { id } = await addMember(platform, { ...asked, id: uuidv7(), kind: 'PORTAL', roles: [PORTAL_ROLE] });
  emit(em, 'identity.portal_access.given', { customerId, membershipId: id });
}

/** A member of an ISP has changed: their portal in the platform comes or goes with the role (identity R6). */
export async function followRole(ctx: Context, { userId, kind }: { userId: string; kind: string }): Promise<void> {
  if (ctx.isPlatform || kind !== 'STAFF') return;
  await settle(ctx.inTenant(PLATFORM_TENANT), ctx.tenantId, userId);
}

/** An ISP has got its account: whoever works for it with such a role speaks for it. */
export async function settleAccountPortals(platform: Context, tenantId: string): Promise<void> {
  const where = { homeId: tenantId, kind: 'STAFF', state: 'ACTIVE' } as const;
  const staff = await platform.acrossTenants((em) => em.find(Membership, where, { orderBy: { id: 'asc' } }));
  for (const member of staff.filter(speaksForAccount)) await settle(platform, tenantId, member.userId);
}

async function settle(platform: Context, tenantId: string, userId: string): Promise<void> {
  const where = { homeId: tenantId, userId, kind: 'STAFF', state: { $ne: 'ENDED' } } as const;
  const member = await platform.acrossTenants((em) => em.findOne(Membership, where));
  await platform.tx(async (em) => {
    const account = await em.findOne(CustomerCopy, { licensedTenantId: tenantId });
    if (!account) return; // it comes, and all are settled then
    const { customerId } = account;
    if (member && speaksForAccount(member))
      return speakForAccount(platform, em, { userId, customerId, isInvited: false });
    if (member?.state === 'INVITED') return; // the run that invited them sees to it
    const held = await em.find(Membership, { userId, customerId, kind: 'PORTAL', state: { $ne: 'ENDED' } });
    for (const portal of held) {
      portal.version += 1;
      await closeMembership(platform, em, portal, [], 'ROLE_ENDED');
      tellGateways(em, 'grants', `membership:${portal.id}`);
    }
  });
}
