import type { Period } from '../../../schema/calendar.ts';
import { hashOf } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import { FEATURE_KEYS, QUOTA_KEYS, type QuotaKey } from '../../../schema/features.ts';
import { allowsLess } from '../../../schema/quota.ts';
import { type BillingInterval, type PriceLine, refOf } from '../catalogue/price.rules.ts';
import { isGivenAt, isWithin, type LicenseFacts } from '../terms/entitlement.rules.ts';
import { type BillingFacts, type LicenseState, periodAt, stateAt } from '../terms/license.rules.ts';
import { limitAt, termsIn } from '../terms/limit.rules.ts';
import { nextPeriod } from '../terms/renewal.rules.ts';
import { changeLines, periodLines, type Sold, setupLines } from './price-change.rules.ts';

export type ChangeDirection = 'UPGRADE' | 'DOWNGRADE' | 'MIXED';

/** What was sold: plan and add-ons, without what the platform gives or takes on top, which stays as it is. */
const soldOf = (facts: LicenseFacts): LicenseFacts => ({ ...facts, overrides: [], grants: [], test: undefined });

/** Add-ons that bring neither a feature nor a limit: what is sold is the service itself, or use by its meter. */
function servicesOf(facts: LicenseFacts, now: Date): Map<string, number> {
  const held = facts.addOns.filter((a) => isWithin(now, a.startsAt, a.endsAt));
  return new Map(
    held.filter((a) => a.features.length + a.limits.length === 0).map(({ code, quantity }) => [code, quantity]),
  );
}

/**
 * The direction of a change (R11): nothing lost is an UPGRADE, only lost a DOWNGRADE, both MIXED, neither null. Compared
 * is what is sold, so that no override hides what the tenant would lose on the day it ends.
 */
export function directionOf(from: LicenseFacts, to: LicenseFacts, now: Date): ChangeDirection | null {
  const [before, after] = [soldOf(from), soldOf(to)];
  const signs = FEATURE_KEYS.map((key) => Number(isGivenAt(after, key, now)) - Number(isGivenAt(before, key, now)));
  for (const key of QUOTA_KEYS) {
    const [had, has] = [termsIn(limitAt(before, key, now)), termsIn(limitAt(after, key, now))];
    signs.push(Number(allowsLess(had, has)), -Number(allowsLess(has, had)));
  }
  const [had, has] = [servicesOf(before, now), servicesOf(after, now)];
  for (const code of new Set([...had.keys(), ...has.keys()])) signs.push((has.get(code) ?? 0) - (had.get(code) ?? 0));
  const [isGain, isLoss] = [signs.some((sign) => sign > 0), signs.some((sign) => sign < 0)];
  if (isGain && isLoss) return 'MIXED';
  return isGain ? 'UPGRADE' : isLoss ? 'DOWNGRADE' : null;
}

/** A licence as a change finds it, or as it shall become: what it opens, what that costs, and for how long it is paid. */
export interface SoldState {
  facts: LicenseFacts;
  sold: Sold;
  interval: BillingInterval;
}

/** A licence before a change, with its periods. */
export interface HeldState extends SoldState {
  billing: BillingFacts;
  /** End of the last period billing was asked for. */
  askedUntil: Date | null;
  /** What the next period was or will be asked as, where a change is scheduled. */
  next: SoldState | null;
}

/** NOW: at once. PERIOD_END: when what is paid has passed. AFTER_PAYMENT: when the invoice for it is paid. */
export type ChangeTiming = 'NOW' | 'PERIOD_END' | 'AFTER_PAYMENT';

export interface ChangeDecision {
  direction: ChangeDirection;
  timing: ChangeTiming;
  effectiveAt: Date;
  /** A new first period begins with the payment. */
  isRestart: boolean;
  lines: PriceLine[];
  /** Another interval follows at the period's end, though the rest holds at once. */
  later: { effectiveAt: Date; lines: PriceLine[] } | null;
}

/**
 * When a wanted end state holds, and what it costs (R11, R12, R14). Upgrades hold at once, everything else and another
 * interval from the end of the period; a trial changes at once and for nothing. Where money is overdue an upgrade waits
 * for its payment, and where the licence has ended whatever is wanted begins a new period with it.
 * Refuses with INVALID_STATE what changes nothing, a suspended licence and one that never ends.
 */
export function decideChange(held: HeldState, to: SoldState, now: Date, endTrial = false): ChangeDecision {
  const state = checkMayChange(held.facts, now);
  const direction = directionOf(held.facts, to.facts, now);
  const isInterval = to.interval !== held.interval;
  const hasEnded = state === 'EXPIRED' || (state !== 'TRIAL' && (!held.askedUntil || held.askedUntil <= now));
  if (endTrial && state !== 'TRIAL') throw new Refusal('INVALID_STATE', 'There is no trial to end.', 'endTrial');
  const isRestart = hasEnded || endTrial;
  if (!direction && !isInterval && !isRestart)
    throw new Refusal('INVALID_STATE', 'The licence already is what you ask for.', 'change');
  const told = { direction: direction ?? 'UPGRADE', isRestart, later: null } as const;
  if (isRestart) {
    const period = firstPeriod(held.billing, to.interval, now);
    const lines = [...periodLines(to.sold, to.interval, period), ...setupLines(held.sold, to.sold, period)];
    return { ...told, timing: 'AFTER_PAYMENT', effectiveAt: now, lines };
  }
  if (state === 'TRIAL') {
    const lines = nextLines(held, to, held.billing.trialEndsAt ?? now);
    return { ...told, timing: 'NOW', effectiveAt: now, lines };
  }
  const period = periodAt(held.billing, now);
  if (direction !== 'UPGRADE')
    return { ...told, timing: 'PERIOD_END', effectiveAt: period.end, lines: nextLines(held, to, period.end) };
  if (isInterval && state !== 'ACTIVE')
    throw new Refusal('INVALID_STATE', 'Monthly and yearly change once the open bill is paid.', 'interval');
  const atOnce = { ...to, interval: held.interval };
  const lines = [
    ...changeLines({ from: held.sold, to: to.sold, interval: held.interval, period, now }),
    ...setupLines(held.sold, to.sold, { start: now, end: period.end }),
    ...nextLines(held, atOnce, period.end),
  ];
  const laterLines = isInterval ? nextLines({ ...held, next: atOnce }, to, period.end) : [];
  const later = isInterval ? { effectiveAt: period.end, lines: laterLines } : null;
  return { ...told, later, timing: state === 'ACTIVE' ? 'NOW' : 'AFTER_PAYMENT', effectiveAt: now, lines };
}

/** The state a change finds, whatever a hold makes of it. Refuses a suspended licence and one without end. */
export function checkMayChange(facts: LicenseFacts, now: Date): LicenseState {
  const state = stateAt(facts, now);
  if (state === 'SUSPENDED') throw new Refusal('INVALID_STATE', 'A suspended licence does not change its plan.');
  if (facts.isEndless) throw new Refusal('INVALID_STATE', 'This licence has no price and does not change.');
  return stateAt({ ...facts, openHolds: [] }, now);
}

/** The period that was asked of billing already is charged as changed; one that was not will be asked as it then is. */
function nextLines(held: HeldState, to: SoldState, start: Date): PriceLine[] {
  const { askedUntil } = held;
  if (!askedUntil || askedUntil <= start) return [];
  const before = held.next ?? held;
  const billing = { ...held.billing, interval: to.interval };
  const end = to.interval === before.interval ? askedUntil : nextPeriod(billing, start).end;
  const change = { from: before.sold, to: to.sold, fromInterval: before.interval, interval: to.interval };
  return changeLines({ ...change, period: { start, end }, now: start, isNext: true });
}

/** The first period of a licence that begins anew at an instant: from there to the same day of the next month or year. */
export function firstPeriod(billing: BillingFacts, interval: BillingInterval, start: Date): Period {
  return nextPeriod({ ...restarted(billing, start), interval }, start);
}

/** The facts of periods that begin anew: their anchor is the day they begin on. */
export function restarted(billing: BillingFacts, start: Date): BillingFacts {
  const day = new Intl.DateTimeFormat('en', { timeZone: billing.zone, day: 'numeric' }).format(start);
  return { ...billing, anchorDay: Number(day), periodOrigin: start };
}

/** Minutes a price holds. */
export const PREVIEW_MINUTES = 15;

/** Refuses with STALE_PREVIEW a price that was made too long ago, or is not yet. */
export function checkPricedAt(pricedAt: Date, now: Date): void {
  const ageMs = now.getTime() - pricedAt.getTime();
  if (ageMs < 0 || ageMs > PREVIEW_MINUTES * 60_000) throw stalePreview();
}

export const stalePreview = () =>
  new Refusal('STALE_PREVIEW', 'The price has changed. Please look at it again.', 'previewHash');

export type Keep = { key: QuotaKey; ids: readonly string[] };

/** What a preview is about, as it is hashed. */
export interface PreviewTerms {
  tenantId: string;
  licenseVersion: number;
  plan: { code: string; number: number };
  interval: BillingInterval;
  addOns: readonly { code: string; quantity: number; version: number }[];
  keep: readonly Keep[];
  endTrial: boolean;
  pricedAt: Date;
  lines: readonly PriceLine[];
}

/** SHA-256 over the canonical JSON (RFC 8785) of what a change asks for and costs, 64 hex digits (R13). */
export function previewHash({ tenantId, licenseVersion, plan, lines, endTrial, ...asked }: PreviewTerms): string {
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return hashOf({
    addOns: [...asked.addOns].sort((a, b) => byName(a.code, b.code)),
    interval: asked.interval,
    keep: asked.keep.map(({ key, ids }) => ({ key, ids: [...ids] })).sort((a, b) => byName(a.key, b.key)),
    licenseVersion,
    lines: lines
      .map(({ key, amountMinor, currency }) => ({ key, amountMinor, currency }))
      .sort((a, b) => byName(a.key, b.key)),
    planVersion: refOf(plan.code, plan.number),
    pricedAt: asked.pricedAt.toISOString(),
    tenantId,
    ...(endTrial ? { endTrial } : {}),
  });
}

/** Refuses with INVALID_STATE whatever is not an UPGRADE, by the names of the plans. */
export function checkIsUpgrade(from: string, to: string, direction: ChangeDirection | null): void {
  if (from === to) throw new Refusal('INVALID_STATE', 'The licence already has this plan.', 'newPlan');
  if (direction !== 'UPGRADE') throw new Refusal('INVALID_STATE', `${to} is not an upgrade from ${from}.`, 'newPlan');
}
