import type { Context } from '../../_kernel/context.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { changing, type Told } from '../licenses/license-change.service.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import { carryOut, type Proposal, propose, tell } from './plan-change.service.ts';
import { PlanMigration, type PlanMigrationProgress } from './plan-migration.entity.ts';
import { type MigrationOutcome, migrationAt } from './plan-migration.rules.ts';
import {
  MIGRATION_PAGE,
  readVersions,
  refOfVersion,
  type SoldVersion,
  verdictOn,
  withVersion,
} from './plan-migration.service.ts';

/** Carries out an order of at most one page at once; a larger one is left to the job. Returns it as it is then. */
export async function beginMigration(ctx: Context, migration: PlanMigration): Promise<PlanMigration> {
  if (migration.finishedAt || migration.tenantIds.length > MIGRATION_PAGE) return migration;
  await carryOn(ctx, migration);
  return (await ctx.em()).findOneOrFail(PlanMigration, { id: migration.id });
}

/** Carries on every order that is not finished, in their order. */
export async function carryOnMigrations(ctx: Context): Promise<void> {
  const open = await ctx.tx((em) => em.find(PlanMigration, { finishedAt: null }, { orderBy: { orderedAt: 'asc' } }));
  for (const migration of open) await carryOn(ctx, migration);
}

/**
 * Moves the licences of an order, page by page, each in a transaction of its own. What was done is not done again, by
 * whomever it is carried on; a licence that fails is tried again with the next sweep.
 */
export async function carryOn(ctx: Context, { id, ...order }: PlanMigration): Promise<void> {
  const { from, to } = await ctx.acrossTenants((em) => readVersions(em, order));
  for (;;) {
    const page = await ctx.acrossTenants((em) =>
      em.execute(
        `select t as tenant_id from unnest(?::uuid[]) t
          where not exists (select from licensing.plan_migration_step s where s.migration_id = ? and s.tenant_id = t)
          order by 1 limit ?`,
        [`{${order.tenantIds.join(',')}}`, id, MIGRATION_PAGE],
      ),
    );
    if (page.length === 0) break;
    let failed = 0;
    for (const { tenant_id: tenantId } of page)
      await migrateLicense(ctx.inTenant(tenantId), {
        id,
        timing: order.timing,
        hash: order.previewHash,
        from,
        to,
      }).catch((error: Error) => {
        failed += 1;
        ctx.log.warn({ migrationId: id, tenantId, error: error.message }, 'a licence could not be moved; trying again');
      });
    if (failed === page.length) return;
  }
  await ctx.tx(async (em) => {
    await em.nativeUpdate(PlanMigration, { id, finishedAt: null }, { finishedAt: ctx.now() });
  });
}

interface Move {
  id: string;
  timing: PlanMigration['timing'];
  hash: string;
  from: SoldVersion;
  to: SoldVersion;
}

/** Moves the licence of the tenant of the context, or leaves it alone; once for an order. */
async function migrateLicense(ctx: Context, move: Move): Promise<void> {
  await ctx.tx(async (em) => {
    const [standing] = await em.execute('select plan_version_id from licensing.license where revoked_at is null');
    let outcome: MigrationOutcome = 'LEFT';
    if (standing?.plan_version_id === move.from.planVersion.id) {
      let proposal: Proposal | undefined;
      const changed = await changing(ctx, em, async (held) => {
        ({ outcome, proposal } = decide(ctx, held, move));
        const told: Told = { cause: 'PLAN_MIGRATED' };
        const done = proposal ? await carryOut(ctx, em, held, proposal, told.cause) : told;
        return { ...done, reason: `Moved from ${refOfVersion(move.from)} to ${refOfVersion(move.to)}.` };
      });
      if (proposal) tell(ctx, em, changed, proposal);
    }
    // Whoever else carries the order on and was faster has left nothing to do here.
    await em.execute(
      'insert into licensing.plan_migration_step (migration_id, outcome, at) values (?, ?, ?) on conflict do nothing',
      [move.id, outcome, ctx.now()],
    );
  });
}

/** What an order does with a licence as it is now. */
function decide(ctx: Context, held: Held, move: Move): { outcome: MigrationOutcome; proposal?: Proposal } {
  const now = ctx.now();
  const { direction, outcome } = verdictOn(held, move.to, move.timing, now);
  const isMovable = held.planVersion.id === move.from.planVersion.id;
  const { askedUntil } = held.license;
  if (outcome === 'LEFT' || !isMovable || !askedUntil) return { outcome: 'LEFT' };
  const wanted = withVersion(held, move.to, now);
  if (outcome === 'MOVED')
    return { outcome, proposal: { ...propose(ctx, held, wanted, [], false, now), hash: move.hash } };
  const effectiveAt = migrationAt(held.license, askedUntil, direction, now);
  const terms = { timing: 'PERIOD_END', effectiveAt, isRestart: false, lines: [], later: null } as const;
  const decision = { direction: direction ?? 'UPGRADE', ...terms, lines: [] };
  return { outcome, proposal: { wanted, decision, keep: [], pricedAt: now, hash: move.hash } };
}

/** How far orders are, by their ids. */
export const progressOf = defineLoader<Map<string, number>>('progress of plan migrations', (_, ids, ctx) =>
  ctx.acrossTenants(async (em) => {
    const rows = await em.execute(
      `select migration_id, outcome, count(*)::int as licenses from licensing.plan_migration_step
        where migration_id = any(?::uuid[]) group by 1, 2`,
      [`{${ids.join(',')}}`],
    );
    const counted = new Map(ids.map((id) => [id, new Map<string, number>()]));
    for (const row of rows) counted.get(row.migration_id)?.set(row.outcome, row.licenses);
    return counted;
  }),
);

/** How far an order is. */
export async function migrationProgress(
  ctx: Context,
  { id, tenantIds }: PlanMigration,
): Promise<PlanMigrationProgress> {
  const counted = await ctx.load(progressOf, id);
  const of = (outcome: MigrationOutcome) => counted?.get(outcome) ?? 0;
  return { licenses: tenantIds.length, moved: of('MOVED'), scheduled: of('SCHEDULED'), left: of('LEFT') };
}
