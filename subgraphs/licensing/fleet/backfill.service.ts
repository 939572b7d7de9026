import { uuidv7 } from 'uuidv7';
import { addDays, localDate } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';
import { QUOTAS, type QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { planLimitsOf } from '../catalogue/plan.rules.ts';
import { makeLicense, zoneOrRefuse } from '../licenses/license.service.ts';
import { Override } from '../terms/override.entity.ts';
import { BACKFILLED_DAYS, liftedLimits } from './backfill.rules.ts';

/** Tenants one call gives a licence at most, and how many at once. */
export const MAX_BACKFILLED = 500;
const AT_ONCE = 4;
/** Nothing new is begun this long after a call began, milliseconds: it answers before its caller gives up. */
const PATIENCE_MS = 3_000;
const REASON = 'In use before there was a licence.';

/** How far a backfill is. */
export interface Backfilled {
  /** Tenants that got their licence in this call. */
  licensed: number;
  /** Tenants that have none yet. */
  remaining: number;
}

/**
 * Gives professional to tenants that never had a licence, paid for 30 days (R24): at most `first` of them, and as many as
 * fit into three seconds. Whoever calls it until none remains has done them all; called again it changes nothing.
 * Refuses with INVALID a number outside of 1 to 500.
 */
export async function backfillLicenses(ctx: Context, first: number): Promise<Backfilled> {
  if (first < 1 || first > MAX_BACKFILLED)
    throw new Refusal('INVALID', `Between 1 and ${MAX_BACKFILLED} at once.`, 'first');
  const until = performance.now() + PATIENCE_MS;
  const waiting = await ctx.acrossTenants((em) =>
    em.execute(`select tenant_id ${UNLICENSED} order by p.tenant_id limit ?`, [first]),
  );
  let licensed = 0;
  const work = async () => {
    for (let next = waiting.pop(); next && performance.now() < until; next = waiting.pop())
      if (await backfillLicense(ctx.inTenant(next.tenant_id))) licensed += 1;
  };
  const done = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const one of done) if (one.status === 'rejected') throw one.reason;
  const [{ remaining }] = (await ctx.acrossTenants((em) =>
    em.execute(`select count(*)::int as remaining ${UNLICENSED}`),
  )) as [{ remaining: number }];
  return { licensed, remaining };
}

/**
 * A licence that was revoked is a decision, and none that is missing; a tenant that is being made gets its own, and one that
 * leaves needs none.
 */
const UNLICENSED = `from kernel.tenant_profile p
  where p.kind <> 'PLATFORM' and p.state in ('ACTIVE', 'SUSPENDED') and not exists (select from kernel.entitlement e where e.tenant_id = p.tenant_id)`;

/** Gives the tenant of the context its first licence; false where it has got one meanwhile. */
function backfillLicense(ctx: Context): Promise<boolean> {
  return ctx
    .tx(async (em) => {
      const zone = await zoneOrRefuse(em);
      const paidUntil = addDays(ctx.now(), BACKFILLED_DAYS, zone);
      const anchorDay = Number(localDate(paidUntil, zone).slice(8));
      const used = await readUse(ctx, em);
      const terms = { plan: 'professional', interval: 'MONTH', isTrial: false, terms: 'INVOICED' } as const;
      await makeLicense(ctx, em, zone, { ...terms, paidUntil, anchorDay }, (license, version) => {
        for (const lifted of liftedLimits(planLimitsOf(version.limits), used)) {
          const said = { isEnabled: null, isUnlimited: false, policy: null, softMarginPercent: null, unitRate: null };
          const row = { id: uuidv7(), licenseId: license.id, ...lifted, ...said, expiresAt: null, reason: REASON };
          em.persist(em.create(Override, row));
        }
        return { cause: 'BACKFILLED' };
      });
      return true;
    })
    .catch((error) => {
      if (error instanceof Refusal && error.code === 'CONFLICT') return false;
      throw error;
    });
}

/** What the kernel has counted for the tenant of the context, in base units. */
async function readUse(ctx: Context, em: EntityManager): Promise<Map<QuotaKey, bigint>> {
  const rows = await em.execute(
    "select key, used from kernel.quota where kind = 'GAUGE' or period_end > ? order by key",
    [ctx.now()],
  );
  return new Map(rows.map((row) => [row.key as QuotaKey, BigInt(row.used)]));
}

/**
 * Writes down what a tenant without a licence uses already, in base units, as its import counted it: the backfill lifts
 * its limits to it. A gauge that is counted already stays as it is.
 */
export function noteEarlierUse(ctx: Context, use: Partial<Record<QuotaKey, bigint>>): Promise<void> {
  return ctx.tx(async (em) => {
    const zone = await zoneOrRefuse(em);
    for (const [key, used] of Object.entries(use) as [QuotaKey, bigint][])
      await em.execute(
        `insert into kernel.quota (key, kind, "limit", policy, used, anchor_day, zone) values (?, ?, 0, 'HARD', ?, 1, ?)
         on conflict do nothing`,
        [key, QUOTAS[key].kind, used.toString(), zone],
      );
  });
}
