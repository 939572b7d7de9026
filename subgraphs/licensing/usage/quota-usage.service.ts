import { QUOTA_KEYS, type QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { nextOf, termsOf, topUpOf } from '../../_kernel/quota-row.ts';
import type { License } from '../licenses/license.entity.ts';
import { tenantLicense } from '../licenses/license.service.ts';
import { heldOf, presentLicense, readsFleet } from '../licenses/license-facts.service.ts';
import type { Grant } from '../terms/grant.entity.ts';
import { absentLimit, limitAt } from '../terms/limit.rules.ts';
import { type CountedUse, type UsageAnswer, usageOf } from './quota-usage.rules.ts';

type Counted = Map<QuotaKey, CountedUse>;

/** What the kernel has counted for a licence's tenant, by the licence's id. */
const countedUse = defineLoader<Counted>('counted use', async (own, ids, ctx) => {
  const read = (em: typeof own) =>
    em.execute(
      `select license_id, key, used, topped_up, top_ups, anchor_day, zone, period_start, period_end, "limit", policy,
              soft_margin_percent, overage_cap, unit_rate, next
         from licensing.licensed_quota where license_id = any(?::uuid[])`,
      [`{${ids.join(',')}}`],
    );
  const rows = readsFleet(ctx) ? await ctx.acrossTenants(read) : await read(own);
  const found = new Map<string, Counted>(ids.map((id) => [id, new Map()]));
  for (const row of rows) {
    found.get(row.license_id)?.set(row.key, {
      used: BigInt(row.used),
      toppedUp: BigInt(row.topped_up),
      topUps: row.top_ups.map(topUpOf),
      ...termsOf(row),
      next: nextOf(row),
      anchorDay: row.anchor_day,
      zone: row.zone,
      periodStart: row.period_start && new Date(row.period_start),
      periodEnd: row.period_end && new Date(row.period_end),
    });
  }
  return found;
});

/**
 * Limits and use of a licence, of the named quotas or all, in the catalogue's order. The limits are those of the node's
 * instant; use is counted for the present alone.
 */
export async function usageOfLicense(ctx: Context, license: License, keys: string[] | null): Promise<UsageAnswer[]> {
  const present = await ctx.load(presentLicense, license.id);
  const counted = await ctx.load(countedUse, license.id);
  if (!present) return [];
  const held = await heldOf(ctx, license);
  return wanted(keys).map((key) =>
    usageOf(limitAt(held.facts, key, held.now), counted?.get(key), present.now, held === present),
  );
}

/** The same for a tenant that may have no licence: then nothing is allowed. */
export async function quotaUsage(ctx: Context, tenantId: string, keys: string[] | null): Promise<UsageAnswer[]> {
  const license = await tenantLicense(ctx, tenantId);
  if (license) return usageOfLicense(ctx, license, keys);
  await ctx.em();
  return wanted(keys).map((key) => usageOf(absentLimit(key), undefined, ctx.now()));
}

const wanted = (keys: string[] | null) => QUOTA_KEYS.filter((key) => !keys || keys.includes(key));

/** What is left of a granted allowance, as the counter that burns it holds it; null for a feature. */
export async function topUpRemaining(ctx: Context, grant: Grant): Promise<bigint | null> {
  if (grant.kind !== 'TOP_UP') return null;
  const counted = await ctx.load(countedUse, grant.licenseId);
  const held = counted?.get(grant.key as QuotaKey)?.topUps.find(({ grantId }) => grantId === grant.id);
  return held?.remaining ?? grant.remaining;
}
