import type { QuotaPolicy } from './features.ts';

/** The most that may be used: the limit, or with a soft margin floor(limit × (100 + margin) / 100). Null is no end. */
export function ceilingOf(limit: bigint | null, policy: QuotaPolicy, marginPercent: number): bigint | null {
  if (limit === null || policy === 'OVERAGE') return null;
  return policy === 'SOFT' ? (limit * BigInt(100 + marginPercent)) / 100n : limit;
}
