import { LockMode } from '@mikro-orm/postgresql';
import { QUOTA_KEYS, QUOTAS, type QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { EntitlementStep } from '../../_kernel/entitlement-course.ts';
import { tellGateways } from '../../_kernel/events.ts';
import { termsAfter } from '../../_kernel/quota.rules.ts';
import { turnQuotas } from '../../_kernel/quota.ts';
import { nextJson, termsOf, topUpOf, topUpsJson } from '../../_kernel/quota-row.ts';
import { aheadOf, courseOf } from '../terms/course.rules.ts';
import { type LimitAnswer, limitAt, termsIn } from '../terms/limit.rules.ts';
import { topUpsFor } from '../terms/top-up.rules.ts';
import { type Held, newestLicense, readHeld } from './license-facts.service.ts';

/**
 * Writes what the kernel and the gateways hold of a licence: its course over time and its limits. Belongs into the
 * transaction of whatever changed the licence. One that was withdrawn leaves nothing.
 */
export async function copyToKernel(ctx: Context, em: EntityManager, held: Held): Promise<void> {
  const { license, facts } = held;
  if (license.isWithdrawn) return removeFromKernel(ctx, em);
  const now = ctx.now();
  const plan = facts.test?.plan?.code ?? held.plan.code;
  const [former] = await em.execute('select license_id, version, plan from kernel.entitlement');
  const course: EntitlementStep[] = aheadOf(courseOf(facts), now);
  const limits = QUOTA_KEYS.map((key) => limitAt(facts, key, now));
  const brief = Object.fromEntries(
    limits.map(({ key, limit, policy }) => [key, { limit: limit?.toString() ?? null, policy }]),
  );
  await em.execute(
    `insert into kernel.entitlement (license_id, version, plan, course, limits) values (?, ?, ?, ?::jsonb, ?::jsonb)
     on conflict (tenant_id) do update set license_id = excluded.license_id, version = excluded.version,
       plan = excluded.plan, course = excluded.course, limits = excluded.limits`,
    [license.id, license.version, plan, JSON.stringify(course), JSON.stringify(brief)],
  );
  // Only other terms of one licence wait. Another licence, its end, and a plan the environment puts on top hold at once.
  const isSame = former?.license_id === license.id && !facts.isRevoked;
  const isPutOnTop = former?.version === license.version && former?.plan !== plan;
  await writeLimits(ctx, em, held, isSame && !isPutOnTop ? now : null);
  tellGateways(em, 'licenses', ctx.tenantId);
}

/**
 * Writes the limits a licence says since an instant into its tenant's counters. One that is allowed less waits for its next
 * period, unless the period that runs began at that instant or later; without an instant everything holds at once. What is
 * over was used under the former limits, and is closed under them.
 */
export async function writeLimits(
  ctx: Context,
  em: EntityManager,
  { license, facts }: Held,
  since: Date | null,
): Promise<void> {
  await turnQuotas(ctx, em);
  const rows = await em.execute('select * from kernel.quota order by key for update');
  const rowOf = new Map(rows.map((row) => [row.key as QuotaKey, row]));
  const quotas = QUOTA_KEYS.map((key) => {
    const row = rowOf.get(key);
    const { terms, next } = standing(row, limitAt(facts, key, since ?? ctx.now()), since);
    return {
      ...{ key, kind: QUOTAS[key].kind, limit: terms.limit?.toString() ?? null, policy: terms.policy },
      ...{ margin: terms.marginPercent, overage_cap: terms.overageCap?.toString() ?? null, unit_rate: terms.unitRate },
      ...{ next: nextJson(next), license_version: license.version, anchor_day: license.anchorDay, zone: license.zone },
      top_ups: topUpsJson(topUpsFor(facts.topUps, key, (row?.top_ups ?? []).map(topUpOf), ctx.now())),
    };
  });
  // What is used stays. A gauge warns again once its use is 5 points below a threshold of the new limit.
  await em.execute(
    `insert into kernel.quota as q (key, kind, "limit", policy, soft_margin_percent, overage_cap, unit_rate, next, top_ups,
       license_version, anchor_day, zone)
     select key, kind, "limit", policy, margin, overage_cap, unit_rate, next::jsonb, top_ups::jsonb, license_version, anchor_day, zone
       from jsonb_to_recordset(?::jsonb)
         as r (key text, kind text, "limit" bigint, policy text, margin int, overage_cap bigint, unit_rate numeric,
               next text, top_ups text, license_version int, anchor_day int, zone text) order by key
     on conflict (tenant_id, key) do update set "limit" = excluded."limit", policy = excluded.policy,
       soft_margin_percent = excluded.soft_margin_percent, overage_cap = excluded.overage_cap,
       unit_rate = excluded.unit_rate, next = excluded.next, top_ups = excluded.top_ups, plain_until = 0,
       license_version = excluded.license_version, anchor_day = excluded.anchor_day, zone = excluded.zone,
       warned = case when q.kind = 'COUNTER' then q.warned else array(
         select w from unnest(q.warned) w where q.used::numeric * 100 >= excluded."limit"::numeric * (w - 5)) end`,
    [JSON.stringify(quotas)],
  );
}

/** What a counter goes by now, and what waits for its next period. */
function standing(row: Record<string, unknown> | undefined, answer: LimitAnswer, since: Date | null) {
  const said = termsIn(answer);
  if (!row || !since) return { terms: said, next: null };
  const { kind } = QUOTAS[answer.key];
  return termsAfter({ kind, periodStart: new Date(row.period_start as string), ...termsOf(row) }, said, since);
}

/** The tenant has no licence any more: nothing gated is open, and of no quota anything is allowed. */
async function removeFromKernel(ctx: Context, em: EntityManager): Promise<void> {
  await em.execute('delete from kernel.entitlement');
  await em.execute(
    `update kernel.quota set "limit" = 0, policy = 'HARD', next = null, top_ups = '[]', plain_until = 0`,
  );
  tellGateways(em, 'licenses', ctx.tenantId);
}

/**
 * Computes the copies of the caller's tenant anew without making a version: for the start of a process with LICENSE_TIER
 * or FEATURE_OVERRIDE, and the first one without them. A tenant without a licence is left alone.
 */
export function refreshEntitlements(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const license = await newestLicense(em, LockMode.PESSIMISTIC_WRITE);
    const [held] = license ? await readHeld(em, [license], ctx.machinery.config) : [];
    if (held) await copyToKernel(ctx, em, held);
  });
}
