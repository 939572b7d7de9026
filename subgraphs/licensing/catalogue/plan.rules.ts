import { type Feature, isFeature, isQuotaKey, type QuotaKey, type QuotaPolicy } from '../../../schema/features.ts';

export type LimitMode = 'ADD' | 'SET';

/** How much of a quota a plan allows, in the quota's base unit; null is without end. */
export interface PlanLimit {
  key: QuotaKey;
  limit: bigint | null;
  policy: QuotaPolicy;
  softMarginPercent: number;
  /** Price of one unit over the limit, decimal digits in the plan's currency. */
  unitRate: string | null;
  overageCap: bigint | null;
}

/** What an add-on does to a quota: adds per piece, or lifts it to at least this; null is without end. */
export interface AddOnLimit {
  key: QuotaKey;
  mode: LimitMode;
  amount: bigint | null;
}

/** A limit as the catalogue stores it: bigints as digits, so that JSON keeps them exact. */
export interface StoredLimit {
  key: string;
  limit?: string | null;
  policy?: QuotaPolicy;
  softMarginPercent?: number;
  unitRate?: string;
  overageCap?: string;
  mode?: LimitMode;
  amount?: string | null;
}

const digits = (text: string | null | undefined) => (text == null ? null : BigInt(text));

export const featuresOf = (stored: readonly string[]): Feature[] => stored.filter(isFeature);

export function planLimitsOf(stored: readonly StoredLimit[]): PlanLimit[] {
  return stored.flatMap((row) =>
    isQuotaKey(row.key)
      ? [
          {
            key: row.key,
            limit: digits(row.limit),
            policy: row.policy ?? 'HARD',
            softMarginPercent: row.softMarginPercent ?? 0,
            unitRate: row.unitRate ?? null,
            overageCap: digits(row.overageCap),
          },
        ]
      : [],
  );
}

export function addOnLimitsOf(stored: readonly StoredLimit[]): AddOnLimit[] {
  return stored.flatMap((row) =>
    isQuotaKey(row.key) ? [{ key: row.key, mode: row.mode ?? 'ADD', amount: digits(row.amount) }] : [],
  );
}

/** Above 0 when `a` allows more than `b`; null is without end. */
export function compareLimits(a: bigint | null, b: bigint | null): number {
  if (a === b) return 0;
  return a === null || (b !== null && a > b) ? 1 : -1;
}
