import type { EventName } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit } from '../_kernel/events.ts';
import { Membership } from './membership.entity.ts';
import type { Giver } from './membership.rules.ts';

/** Who gives rights to others; null for background work, which gives what its document says. */
export async function giverOf(ctx: Context, em: EntityManager): Promise<Giver | null> {
  const { caller, membershipId } = ctx.envelope;
  if (caller.kind === 'SYSTEM') return null;
  const own = membershipId === undefined ? null : await em.findOne(Membership, { id: membershipId });
  return { userId: caller.id ?? '', roles: own?.roles ?? [], holds: ctx.can.bind(ctx) };
}

/**
 * The ids of the tenant's ACTIVE administrators, whose rows stay locked. Whoever changes memberships locks these before
 * any other.
 */
export async function lockAdmins(em: EntityManager): Promise<string[]> {
  const staff = await em.execute(
    "select id, roles from identity.membership where kind = 'STAFF' and state = 'ACTIVE' and roles && '{tenant_admin,platform_admin}' order by id for update",
  );
  return staff.map((row) => String(row.id));
}

type MembershipEvent = Extract<EventName, `identity.membership.${string}`>;

/** Tells the tenant's log what became of a membership. */
export function tell(em: EntityManager, name: MembershipEvent, member: Membership, reason?: string): void {
  const { id, userId, kind, roles, version } = member;
  emit(em, name, { membershipId: id, userId, kind, roles, version, ...(reason ? { reason } : {}) });
}
