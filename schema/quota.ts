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

/** How much of a quota may be used, and how much of that for nothing. */
export interface LimitTerms {
  /** In base units; null is without end. */
  limit: bigint | null;
  policy: QuotaPolicy;
  marginPercent: number;
  /** Most over the limit where overage is sold; null is without end. */
  overageCap: bigint | null;
}

const isLess = (a: bigint | null, b: bigint | null): boolean => a !== null && (b === null || a < b);

/** Whether terms take something away: what may be used, or what of it is not charged. */
export const allowsLess = (terms: LimitTerms, than: LimitTerms): boolean =>
  isLess(terms.limit, than.limit) ||
  isLess(
    ceilingOf(terms.limit, terms.policy, terms.marginPercent, terms.overageCap),
    ceilingOf(than.limit, than.policy, than.marginPercent, than.overageCap),
  );
