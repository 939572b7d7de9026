import { badInput, Refusal } from '../../../schema/errors.ts';
import { FEATURES, isFeature, isQuotaKey, QUOTAS } from '../../../schema/features.ts';
import type { GrantSource } from '../terms/entitlement.rules.ts';
import { checkEnd, checkNear, checkReason } from './override.rules.ts';

export interface GrantTerms {
  kind: 'FEATURE' | 'TOP_UP';
  /** A feature, or the quota of a counter. */
  key: string;
  /** In the quota's base unit. */
  amount?: bigint | null;
  /** 0 to 100; the lower burns first. */
  priority?: number | null;
  startsAt?: Date | null;
  expiresAt?: Date | null;
  source: GrantSource;
  rolloverMax?: bigint | null;
  reason: string;
}

/** What a grant says, with nothing left open. */
export interface CheckedGrant extends Required<GrantTerms> {
  amount: bigint | null;
  priority: number;
  startsAt: Date;
  expiresAt: Date | null;
  rolloverMax: bigint;
}

const PRIORITY = { min: 0, default: 50, max: 100 };

/**
 * What is given, checked; it begins at once where it does not say when. Throws BAD_USER_INPUT for an unknown key,
 * Refusal INVALID_STATE for a feature nobody can use yet, and INVALID with the field for anything else.
 */
export function checkGrant(terms: GrantTerms, now: Date): CheckedGrant {
  const { kind, key, expiresAt = null, source } = terms;
  if (kind === 'FEATURE') checkFeatureGrant(terms);
  else checkTopUp(terms);
  const startsAt = terms.startsAt ?? now;
  if (startsAt < now) throw new Refusal('INVALID', 'The start is now or later.', 'startsAt');
  checkNear(startsAt, now, 'startsAt');
  checkEnd(expiresAt, startsAt, now, 'expiresAt');
  const { amount = null, priority, rolloverMax } = terms;
  const burns = { amount, priority: priority ?? PRIORITY.default, rolloverMax: rolloverMax ?? 0n };
  return { kind, key, ...burns, startsAt, expiresAt, source, reason: checkReason(terms.reason) };
}

function checkFeatureGrant({ key, amount, priority, rolloverMax }: GrantTerms): void {
  if (!isFeature(key)) throw badInput(`Unknown feature: ${key.slice(0, 40)}.`);
  if (FEATURES[key].state !== 'AVAILABLE') throw new Refusal('INVALID_STATE', `${key} is not available yet.`, 'key');
  const said = Object.entries({ amount, priority, rolloverMax }).find(([, value]) => value != null);
  if (said) throw new Refusal('INVALID', 'This is for an allowance on a counter.', said[0]);
}

function checkTopUp({ key, amount, priority, rolloverMax }: GrantTerms): void {
  if (!isQuotaKey(key)) throw badInput(`Unknown quota: ${key.slice(0, 40)}.`);
  if (QUOTAS[key].kind !== 'COUNTER')
    throw new Refusal('INVALID', 'What exists is not topped up; override its limit.', 'key');
  if (amount == null || amount < 1n) throw new Refusal('INVALID', 'An allowance is at least 1.', 'amount');
  if (priority != null && (priority < PRIORITY.min || priority > PRIORITY.max))
    throw new Refusal('INVALID', 'A priority is 0 to 100.', 'priority');
  if (rolloverMax != null && rolloverMax > amount)
    throw new Refusal('INVALID', 'No more rolls over than was given.', 'rolloverMax');
}
