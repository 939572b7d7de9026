import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { DOMAINS } from '../../_kernel/departure.ts';
import { emit, setTimer } from '../../_kernel/events.ts';
import { MoveRun } from '../placement/move-run.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, inTenant, saveTenant } from '../tenant.service.ts';
import { DataExport } from './data-export.entity.ts';
import { openHold } from './legal-hold.service.ts';
import { type DeletionCertificate, Purge, Tombstone } from './purge.entity.ts';
import { ASK_AGAIN_MS, approvals, REPORT_MS } from './purge.rules.ts';
import { inEach } from './sweep.ts';

/** Approves the deletion of a tenant. With the second person every domain is told to delete: there is no way back. */
export function approvePurge(ctx: Context, tenantId: string): Promise<Purge> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    const held = await presentPurge(em);
    const facts = {
      state: tenant.state,
      closesAt: tenant.closesAt,
      waivesExport: tenant.waivesExport,
      isExported: (await em.count(DataExport, { readyAt: { $gte: tenant.closedAt ?? null } })) > 0,
      isHeld: (await openHold(em)) !== null,
      isMoving: (await em.count(MoveRun, { state: 'RUNNING' })) > 0,
      approvedBy: held?.approvedBy ?? [],
    };
    const now = new Date();
    const approvedBy = approvals(facts, ctx.actorId as string, now);
    const purge = held ?? em.create(Purge, { id: uuidv7(), approvedBy, approvedAt: now, waitingFor: [], counts: {} });
    Object.assign(purge, { approvedBy, approvedAt: now });
    em.persist(purge);
    if (!held) return purge;
    Object.assign(purge, { waitingFor: [...DOMAINS], begunAt: now, askedAt: now });
    tenant.state = advance(tenant.state, 'PURGING');
    await saveTenant(em, tenant);
    emit(em, 'tenancy.purge.requested', { purgeId: purge.id });
    return purge;
  });
}

/** The one deletion of the transaction's tenant, locked. */
export async function presentPurge(em: EntityManager): Promise<Purge | null> {
  const [purge] = await em.find(Purge, {}, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return purge ?? null;
}

/** A domain has deleted what it held. When all have, the deletion is brought to its end. */
export function countInPurge(
  ctx: Context,
  domain: string,
  purgeId: string,
  counts: Record<string, number>,
): Promise<void> {
  return ctx.tx(async (em) => {
    const purge = await em.findOne(Purge, { id: purgeId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!purge) return;
    for (const [noun, rows] of Object.entries(counts)) {
      const table = `${domain}.${noun}`;
      purge.counts = { ...purge.counts, [table]: (purge.counts[table] ?? 0) + rows };
    }
    purge.waitingFor = purge.waitingFor.filter((name) => name !== domain);
    await em.flush();
    if (purge.waitingFor.length === 0) setTimer(em, 'tenancy.endPurge', ctx.now());
  });
}

/** Asks each hour whoever has not answered, and reports who is silent for a day. */
export async function remindPurges(ctx: Context): Promise<void> {
  const due = await ctx.acrossTenants((em) =>
    em.execute('select tenant_id from tenancy.purge where asked_at <= ? order by asked_at limit 100', [
      new Date(Date.now() - ASK_AGAIN_MS),
    ]),
  );
  await inEach(ctx, due, remind);
}

function remind(own: Context): Promise<void> {
  return own.tx(async (em) => {
    const purge = await presentPurge(em);
    if (!purge) return;
    const now = new Date();
    if (now.getTime() - (purge.begunAt as Date).getTime() >= REPORT_MS)
      own.log.error({ tenantId: own.tenantId, waitingFor: purge.waitingFor }, 'a domain does not delete a tenant');
    purge.askedAt = now;
    if (purge.waitingFor.length > 0) emit(em, 'tenancy.purge.requested', { purgeId: purge.id });
    else setTimer(em, 'tenancy.endPurge', own.now()); // who was at it is gone
  });
}

/** The certificate of a tenant that was deleted. */
export async function deletionCertificate(ctx: Context, tenantId: string): Promise<DeletionCertificate | null> {
  const found = isId(tenantId) ? await (await ctx.em()).findOne(Tombstone, { id: tenantId }) : null;
  return found && { id: found.certificateId, document: found.certificate };
}
