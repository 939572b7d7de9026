import type { Period } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';
import { FEATURE_KEYS, QUOTA_KEYS } from '../../../schema/features.ts';
import { compareLimits, type Fraction, type Price, periodPrice, refOf, shareOf } from '../catalogue/plan.rules.ts';
import { isGivenAt, type LicenseFacts } from '../terms/entitlement.rules.ts';
import type { BillingInterval, LicenseState } from '../terms/license.rules.ts';
import { limitAt } from '../terms/limit.rules.ts';

export type ChangeDirection = 'UPGRADE' | 'DOWNGRADE' | 'MIXED';

/** What was sold: plan and add-ons, without what the platform gives or takes on top, which stays as it is. */
const soldOf = (facts: LicenseFacts): LicenseFacts => ({ ...facts, overrides: [], grants: [], test: undefined });

/**
 * The direction of a change (R11): nothing lost is an UPGRADE, only lost a DOWNGRADE, both MIXED, neither null. Compared
 * is what is sold, so that no override hides what the tenant would lose on the day it ends.
 */
export function directionOf(from: LicenseFacts, to: LicenseFacts, now: Date): ChangeDirection | null {
  const [before, after] = [soldOf(from), soldOf(to)];
  const signs = FEATURE_KEYS.map((key) => Number(isGivenAt(after, key, now)) - Number(isGivenAt(before, key, now)));
  for (const key of QUOTA_KEYS)
    signs.push(compareLimits(limitAt(after, key, now).limit, limitAt(before, key, now).limit));
  const [isGain, isLoss] = [signs.some((sign) => sign > 0), signs.some((sign) => sign < 0)];
  if (isGain && isLoss) return 'MIXED';
  return isGain ? 'UPGRADE' : isLoss ? 'DOWNGRADE' : null;
}

/** Part of the price of a change: below 0 is a credit. */
export interface PriceLine {
  key: string;
  amountMinor: bigint;
  currency: string;
  periodStart: Date;
  periodEnd: Date;
}

export interface SoldPlan extends Price {
  code: string;
  number: number;
}

/** What is due for the rest of a period at an instant: `amount × remaining / period` in elapsed time, half-even (R12). */
export function dueForRest(amount: Fraction, period: Period, now: Date): bigint {
  const remaining = BigInt(period.end.getTime() - now.getTime());
  return shareOf(amount, remaining, BigInt(period.end.getTime() - period.start.getTime()));
}

/** The lines of a change of plan at an instant of a paid period: the new plan's charge and the old one's credit. */
export function upgradeLines(change: {
  from: SoldPlan;
  to: SoldPlan;
  interval: BillingInterval;
  period: Period;
  now: Date;
}): PriceLine[] {
  const { from, to, interval, period, now } = change;
  const line = (word: 'charge' | 'credit', plan: SoldPlan, sign: bigint): PriceLine => ({
    key: `${word}:plan:${refOf(plan.code, plan.number)}`,
    amountMinor: sign * dueForRest(periodPrice(plan, interval), period, now),
    currency: plan.currency,
    periodStart: now,
    periodEnd: period.end,
  });
  return [line('charge', to, 1n), line('credit', from, -1n)];
}

export const netOf = (lines: readonly PriceLine[]): bigint => lines.reduce((sum, line) => sum + line.amountMinor, 0n);

/** Refuses with INVALID_STATE a state in which a plan cannot change at once: first the licence has to be paid. */
export function checkMayUpgrade(state: LicenseState): void {
  if (state === 'TRIAL' || state === 'ACTIVE') return;
  if (state === 'SUSPENDED') throw new Refusal('INVALID_STATE', 'A suspended licence does not change its plan.');
  throw new Refusal('INVALID_STATE', 'The paid time of this licence is over. Please pay its open bill first.');
}

/** Refuses with INVALID_STATE whatever is not an UPGRADE. */
export function checkIsUpgrade(from: string, to: string, direction: ChangeDirection | null): void {
  if (from === to) throw new Refusal('INVALID_STATE', 'The licence already has this plan.', 'newPlan');
  if (direction !== 'UPGRADE') throw new Refusal('INVALID_STATE', `${to} is not an upgrade from ${from}.`, 'newPlan');
}

/** The interval after an upgrade: in a trial the one asked for, in a paid period the one it was paid for. */
export function intervalAfter(
  state: LicenseState,
  held: BillingInterval,
  asked: BillingInterval | null,
): BillingInterval {
  if (!asked || asked === held || state === 'TRIAL') return asked ?? held;
  throw new Refusal('INVALID_STATE', 'Monthly and yearly change only when the paid period ends.', 'interval');
}
