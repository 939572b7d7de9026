import { badInput, Refusal } from '../../../schema/errors.ts';
import { isFeature, isQuotaKey, type QuotaPolicy } from '../../../schema/features.ts';
import { text } from '../../../schema/words.ts';

export interface OverrideTerms {
  key: string;
  isEnabled?: boolean | null;
  limit?: bigint | null;
  isUnlimited?: boolean | null;
  policy?: QuotaPolicy | null;
  softMarginPercent?: number | null;
  unitRate?: string | null;
  expiresAt?: Date | null;
  reason: string;
}

/** Years an exception may last at most. */
const MAX_YEARS = 5;
const SIX_PLACES = /^\d{1,12}(\.\d{1,6})?$/;

/** Trims a reason and refuses one that is no sentence: 5 to 500 characters. */
export const checkReason = (typed: string): string => text(typed, 500, 'reason', { name: 'A reason', min: 5 });

/** Refuses an end that is not after the start, not ahead, or over five years away. */
export function checkEnd(end: Date | null | undefined, start: Date, now: Date, field: string): void {
  if (!end) return;
  if (end <= start) throw new Refusal('INVALID', 'The end comes after the start.', field);
  if (end <= now) throw new Refusal('INVALID', 'The end is still to come.', field);
  checkNear(end, now, field);
}

/** Refuses an instant over five years ahead. */
export function checkNear(instant: Date, now: Date, field: string): void {
  const latest = new Date(now);
  latest.setUTCFullYear(latest.getUTCFullYear() + MAX_YEARS);
  if (instant > latest) throw new Refusal('INVALID', `This is at most ${MAX_YEARS} years ahead.`, field);
}

/**
 * What an exception says, checked; a field left out inherits. Throws BAD_USER_INPUT for an unknown key and Refusal
 * INVALID with the field for anything else.
 */
export function checkOverride(terms: OverrideTerms, now: Date): OverrideTerms {
  const { key, isEnabled, limit, isUnlimited, policy, softMarginPercent, unitRate } = terms;
  const quotaTerms = [limit, isUnlimited || null, policy, softMarginPercent, unitRate];
  const hasTerms = quotaTerms.some((term) => term != null);
  if (!isFeature(key) && !isQuotaKey(key)) throw badInput(`Unknown feature or quota: ${key.slice(0, 40)}.`);
  if (isEnabled != null && !isFeature(key))
    throw new Refusal('INVALID', 'A quota has a limit and is not on or off.', 'isEnabled');
  if (hasTerms && !isQuotaKey(key)) throw new Refusal('INVALID', 'A feature has no limit.', 'key');
  if (isEnabled == null && !hasTerms)
    throw isQuotaKey(key)
      ? new Refusal('INVALID', 'Say what is different.', 'limit')
      : new Refusal('INVALID', 'Say whether the feature is on or off.', 'isEnabled');
  if (limit != null && isUnlimited)
    throw new Refusal('INVALID', 'A quota is limited or unlimited, not both.', 'isUnlimited');
  if (softMarginPercent != null && (softMarginPercent < 0 || softMarginPercent > 50))
    throw new Refusal('INVALID', 'A soft margin is 0 to 50 percent.', 'softMarginPercent');
  if (unitRate != null && !SIX_PLACES.test(unitRate))
    throw new Refusal('INVALID', 'A rate is a number from 0 with at most 6 decimal places.', 'unitRate');
  checkEnd(terms.expiresAt, now, now, 'expiresAt');
  return { ...terms, reason: checkReason(terms.reason) };
}
