import { LockMode } from '@mikro-orm/core';
import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { emit, tellGateways } from '../_kernel/events.ts';
import { Session } from './session.entity.ts';
import type { EndReason } from './session.rules.ts';
import { end } from './session.service.ts';
import { presentOf } from './tenant.service.ts';

/**
 * Stops a person's open sessions in the transaction of what ends them, whatever tenants they are for; all but the one
 * that is kept. `tellEnds` tells of them when it is committed.
 */
export async function stopSessions(
  em: EntityManager,
  userId: string,
  reason: EndReason,
  keptId: string | null = null,
): Promise<Session[]> {
  const { now } = await presentOf(em);
  const open = await em.find(
    Session,
    { userId, endReason: null, ...(keptId === null ? {} : { id: { $ne: keptId } }) },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  for (const session of open) {
    Object.assign(session, { endedAt: now, endReason: reason });
    tellGateways(em, 'grants', `session:${session.id}`);
  }
  return open;
}

/** Ends the sessions one of the tenant's own providers opened, in the transaction that takes it out of use. */
export async function endSessionsThrough(em: EntityManager, connectionId: string): Promise<void> {
  const { now } = await presentOf(em);
  const open = await em.find(
    Session,
    { connectionId, endReason: null },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  for (const session of open) end(em, session, 'PROVIDER_OFF', now);
}

/** Writes the end of each session into the log of the tenant it was for. */
export async function tellEnds(ctx: Context, ended: readonly Session[]): Promise<void> {
  const byHome = Map.groupBy(ended, ({ homeId }) => homeId ?? PLATFORM_TENANT);
  for (const [home, sessions] of byHome)
    await ctx.inTenant(home).tx(async (em) => {
      for (const { id, endReason } of sessions)
        emit(em, 'identity.session.ended', { sessionId: id, reason: String(endReason) });
    });
}
