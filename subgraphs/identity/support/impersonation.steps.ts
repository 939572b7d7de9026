import type { Context } from '../../_kernel/context.ts';
import { type EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer, tellGateways } from '../../_kernel/events.ts';
import { presentOf } from '../tenant.service.ts';
import { Impersonation } from './impersonation.entity.ts';
import { advanceImpersonation, type ImpersonationEnd, LIVE_MS } from './impersonation.rules.ts';

type Told = 'requested' | 'started' | 'ended';

/** Tells the log of the tenant it happens in. */
export function tell(em: EntityManager, what: Told, held: Impersonation): void {
  const { id: impersonationId, operatorId, userId, mode } = held;
  const reason = held.endReason ?? held.reason;
  emit(em, `identity.impersonation.${what}`, { impersonationId, operatorId, userId, mode, reason });
}

/** Lets it begin: half an hour from now, by the true time. */
export function begin(em: EntityManager, held: Impersonation, now: Date): void {
  held.state = 'LIVE';
  held.startedAt = now;
  held.endsAt = new Date(now.getTime() + LIVE_MS);
  tell(em, 'started', held);
}

/** Ends it, tells the tenant, and has the gateways refuse its token. */
export function end(em: EntityManager, held: Impersonation, why: ImpersonationEnd, now: Date): void {
  const to = why === 'REFUSED' || why === 'LAPSED' ? why : 'ENDED';
  held.state = advanceImpersonation(held.state, to);
  held.endReason = why;
  held.endedAt = now;
  tell(em, 'ended', held);
  tellGateways(em, 'grants', `session:${held.id}`);
}

/** Wakes when time ends the tenant's next one. Timers go by the tenant's clock, impersonations by the true time. */
export async function wakeForImpersonations(ctx: Context, em: EntityManager): Promise<void> {
  await em.flush();
  const next = await em.findOne(
    Impersonation,
    { state: { $in: ['WAITING', 'LIVE'] } },
    { orderBy: { endsAt: 'asc', id: 'asc' } },
  );
  if (!next) return;
  const { now } = await presentOf(em);
  const left = Math.max(next.endsAt.getTime() - now.getTime(), 0);
  setTimer(em, 'identity.tendImpersonations', new Date(ctx.now().getTime() + left));
}
