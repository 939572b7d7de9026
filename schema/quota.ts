import type { QuotaPolicy } from './features.ts';

/**
 * The most that may be used without top-ups: the limit, with a soft margin floor(limit × (100 + margin) / 100), with
 * overage the limit and its cap. Null is without end.
 */
export function ceilingOf(
  limit: bigint | null,
  policy: QuotaPolicy,
  marginPercent: number,
  overageCap: bigint | null = null,
): bigint | null {
  if (limit === null || (policy === 'OVERAGE' && overageCap === null)) return null;
  if (policy === 'OVERAGE') return limit + (overageCap as bigint);
  return policy === 'SOFT' ? (limit * BigInt(100 + marginPercent)) / 100n : limit;
}
