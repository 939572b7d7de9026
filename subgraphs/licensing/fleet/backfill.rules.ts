import { QUOTA_KEYS, type QuotaKey } from '../../../schema/features.ts';
import type { PlanLimit } from '../catalogue/plan.rules.ts';

/** Days an existing tenant's first licence is taken as paid for. */
export const BACKFILLED_DAYS = 30;

/** The limits that are lifted to what is in use already, in base units, so that nothing that worked stops (R24). */
export function liftedLimits(
  limits: readonly PlanLimit[],
  used: ReadonlyMap<QuotaKey, bigint>,
): { key: QuotaKey; limit: bigint }[] {
  return QUOTA_KEYS.flatMap((key) => {
    const row = limits.find((limit) => limit.key === key);
    const [most, inUse] = [row ? row.limit : 0n, used.get(key) ?? 0n];
    return most !== null && inUse > most ? [{ key, limit: inUse }] : [];
  });
}
