import { addDays, monthlyPeriod, type Period, yearlyPeriod } from '../../../schema/calendar.ts';
import type { DenialReason } from '../../../schema/errors.ts';
import type { FeatureAccess } from '../../../schema/features.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';

export type LicenseState = 'TRIAL' | 'ACTIVE' | 'GRACE' | 'RESTRICTED' | 'SUSPENDED' | 'EXPIRED' | 'REVOKED';
export type LicenseTerms = 'INVOICED' | 'PREPAID';
export type Enforcement = 'ENFORCE' | 'OBSERVE';
export type HoldLevel = 'RESTRICTED' | 'SUSPENDED';

/** What the state of a licence rests on. */
export interface StateFacts {
  /** Days are calendar days in this IANA zone. */
  zone: string;
  validFrom: Date;
  trialEndsAt: Date | null;
  /** Null as long as nothing was ever paid. */
  paidUntil: Date | null;
  autoRenew: boolean;
  graceDays: number;
  restrictedDays: number;
  /** A plan that never ends: the platform's own. */
  isEndless: boolean;
  isRevoked: boolean;
  openHolds: readonly HoldLevel[];
}

/** The instants at which a licence closes further; null is never. Half-open: at the instant it is closed. */
export interface Ends {
  end: Date | null;
  graceEnd: Date | null;
  restrictedEnd: Date | null;
}

const later = (a: Date | null, b: Date | null) => (a && b ? (a > b ? a : b) : (a ?? b));

/** When trial or paid time ends, when grace does, and when read-only does. No grace for those who never paid. */
export function endsOf(facts: StateFacts): Ends {
  if (facts.isEndless) return { end: null, graceEnd: null, restrictedEnd: null };
  const end = later(facts.trialEndsAt, facts.paidUntil) ?? facts.validFrom;
  const graceEnd = facts.autoRenew && facts.paidUntil ? addDays(end, facts.graceDays, facts.zone) : end;
  return { end, graceEnd, restrictedEnd: addDays(graceEnd, facts.restrictedDays, facts.zone) };
}

const isPast = (instant: Date | null, now: Date) => instant !== null && now >= instant;

/** The state at an instant; the first that matches wins, and no job has to have run. */
export function stateAt(facts: StateFacts, now: Date, ends: Ends = endsOf(facts)): LicenseState {
  if (facts.isRevoked) return 'REVOKED';
  if (facts.openHolds.includes('SUSPENDED')) return 'SUSPENDED';
  if (isPast(ends.restrictedEnd, now)) return 'EXPIRED';
  if (facts.openHolds.includes('RESTRICTED')) return 'RESTRICTED';
  if (facts.trialEndsAt && now < facts.trialEndsAt) return 'TRIAL';
  if (facts.isEndless || (facts.paidUntil && now < facts.paidUntil)) return 'ACTIVE';
  return isPast(ends.graceEnd, now) ? 'RESTRICTED' : 'GRACE';
}

const OPEN: readonly LicenseState[] = ['TRIAL', 'ACTIVE', 'GRACE'];

/** What a state leaves of the core: from RESTRICTED on, reading and what its domains mark as continuity. */
export const coreIn = (state: LicenseState): FeatureAccess => (OPEN.includes(state) ? 'FULL' : 'READ');

/** What a state leaves of a gated feature that the licence holds. */
export function capIn(state: LicenseState, onRestricted: FeatureAccess): FeatureAccess {
  if (OPEN.includes(state)) return 'FULL';
  return state === 'RESTRICTED' ? onRestricted : 'NONE';
}

/** Why a state closes what the licence holds, or undefined while it closes nothing. */
export function closedBecause(
  facts: StateFacts,
  now: Date,
  state: LicenseState = stateAt(facts, now),
): DenialReason | undefined {
  if (state === 'TRIAL' || state === 'ACTIVE' || state === 'GRACE') return undefined;
  if (state !== 'RESTRICTED') return state;
  return facts.trialEndsAt && !facts.paidUntil && isPast(facts.trialEndsAt, now) ? 'TRIAL_ENDED' : 'RESTRICTED';
}

/** A licence that has been expired for this long has lapsed, calendar days. */
const LAPSE_DAYS = 30;

/** When a licence lapses, or null for one that never does and one of which it was told already, by the end `told`. */
export function nextLapse(facts: StateFacts, told: Date | null): Date | null {
  const { restrictedEnd } = endsOf(facts);
  if (facts.isRevoked || !restrictedEnd || restrictedEnd.getTime() === told?.getTime()) return null;
  return addDays(restrictedEnd, LAPSE_DAYS, facts.zone);
}

export interface BillingFacts {
  interval: BillingInterval;
  anchorDay: number;
  zone: string;
  validFrom: Date;
  trialEndsAt: Date | null;
  /** Where its periods began anew, after it had ended. */
  periodOrigin?: Date | null;
}

/** The period an instant lies in: from local midnight of the anchor day, for a month or a year. Half-open. */
export function periodAt(facts: BillingFacts, instant: Date): Period {
  const { interval, anchorDay, zone } = facts;
  if (interval === 'MONTH') return monthlyPeriod(instant, anchorDay, zone);
  return yearlyPeriod(instant, facts.periodOrigin ?? facts.trialEndsAt ?? facts.validFrom, anchorDay, zone);
}
