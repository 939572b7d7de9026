import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { DOMAINS } from '../../_kernel/departure.ts';
import { emit } from '../../_kernel/events.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, inTenant, saveTenant } from '../tenant.service.ts';
import { finishPurge } from './certificate.service.ts';
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
async function presentPurge(em: EntityManager): Promise<Purge | null> {
  const [purge] = await em.find(Purge, {}, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return purge ?? null;
}

/** A domain has deleted what it held. When all have, tenancy does the same, and if nothing is left it is over. */
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
    if (purge.waitingFor.length === 0) await tryToFinish(ctx, em, purge);
  });
}

/** Ends a deletion, unless something is left: then that is written down, and its domains are asked again. */
async function tryToFinish(ctx: Context, em: EntityManager, purge: Purge): Promise<void> {
  const left = await rowsLeftAtDomains(em);
  if (Object.keys(left).length === 0) return finishPurge(ctx, em, purge);
  purge.rowsLeft = left;
  purge.waitingFor = DOMAINS.filter((domain) => Object.keys(left).some((table) => table.startsWith(`${domain}.`)));
  ctx.log.error({ tenantId: ctx.tenantId, rowsLeft: left }, 'rows are left of a tenant that is being deleted');
}

/** What the control plane's own tables hold goes last: it is what the deletion is steered by. */
async function rowsLeftAtDomains(em: EntityManager): Promise<Record<string, number>> {
  const [row] = await em.execute('select kernel.rows_left() as left_over');
  const isLast = (table: string) => /^(tenancy|kernel)\./.test(table);
  return Object.fromEntries(
    Object.entries(row?.left_over as Record<string, number>).filter(([table]) => !isLast(table)),
  );
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
    emit(em, 'tenancy.purge.requested', { purgeId: purge.id });
  });
}

/** The certificate of a tenant that was deleted. */
export async function deletionCertificate(ctx: Context, tenantId: string): Promise<DeletionCertificate | null> {
  const found = isId(tenantId) ? await (await ctx.em()).findOne(Tombstone, { id: tenantId }) : null;
  return found && { id: found.certificateId, document: found.certificate };
}
