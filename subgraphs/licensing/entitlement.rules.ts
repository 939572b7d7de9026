import type { DenialReason, Entitled } from '../../schema/errors.ts';
import {
  FEATURE_KEYS,
  type Feature,
  type FeatureAccess,
  parentOf,
  type QuotaKey,
  type QuotaPolicy,
} from '../../schema/features.ts';
import {
  capIn,
  closedBecause,
  coreIn,
  type Ends,
  endsOf,
  type LicenseState,
  type StateFacts,
  stateAt,
} from './license.rules.ts';
import type { AddOnLimit, PlanLimit } from './plan.rules.ts';

export type EntitlementSource = 'OVERRIDE' | 'GRANT' | 'TRIAL' | 'ADD_ON' | 'PLAN' | 'DEFAULT' | 'TEST_OVERRIDE';
export type GrantSource = 'TRIAL' | 'PROMOTION' | 'SUPPORT' | 'SALES';

export interface PlanFacts {
  id: string;
  code: string;
  number: number;
  features: readonly Feature[];
  limits: readonly PlanLimit[];
}

export interface AddOnFacts {
  id: string;
  code: string;
  version: number;
  quantity: number;
  startsAt: Date;
  endsAt: Date | null;
  features: readonly Feature[];
  limits: readonly AddOnLimit[];
}

/** An exception for one tenant; a field that is null inherits. */
export interface OverrideFacts {
  id: string;
  key: string;
  isEnabled: boolean | null;
  limit: bigint | null;
  isUnlimited: boolean;
  policy: QuotaPolicy | null;
  softMarginPercent: number | null;
  unitRate: string | null;
  expiresAt: Date | null;
}

/** A feature given for a while. */
export interface GrantFacts {
  id: string;
  feature: Feature;
  startsAt: Date;
  expiresAt: Date | null;
  source: GrantSource;
}

/** What LICENSE_TIER and FEATURE_OVERRIDE put on top of every licence of a development or test process. */
export interface TestOverride {
  plan: PlanFacts | null;
  on: readonly Feature[];
  off: readonly Feature[];
}

/** Everything an entitlement rests on. With the time, it is all there is to know. */
export interface LicenseFacts extends StateFacts {
  plan: PlanFacts;
  addOns: readonly AddOnFacts[];
  overrides: readonly OverrideFacts[];
  grants: readonly GrantFacts[];
  test?: TestOverride;
}

/** Whether a feature is open, who says so, until when, and if not, why. */
export interface EntitlementAnswer {
  feature: Feature;
  access: FeatureAccess;
  source: EntitlementSource;
  sourceId: string | null;
  expiresAt: Date | null;
  reason: DenialReason | null;
}

/** What RESTRICTED leaves of a feature: all of them may still be read. */
const ON_RESTRICTED: FeatureAccess = 'READ';

const isWithin = (now: Date, startsAt: Date, endsAt: Date | null) =>
  startsAt <= now && (endsAt === null || now < endsAt);
const isUnexpired = (override: OverrideFacts, now: Date) => override.expiresAt === null || now < override.expiresAt;

/** Of several that hold now, the one that holds longest. */
function longest<T>(items: readonly T[], endOf: (item: T) => Date | null): T | undefined {
  const lasts = (item: T) => endOf(item)?.getTime() ?? Number.POSITIVE_INFINITY;
  return items.reduce<T | undefined>((best, item) => (best && lasts(best) >= lasts(item) ? best : item), undefined);
}

type Verdict = Omit<EntitlementAnswer, 'feature' | 'access'> & { isOn: boolean };

const on = (source: EntitlementSource, sourceId: string | null, expiresAt: Date | null): Verdict => ({
  isOn: true,
  source,
  sourceId,
  expiresAt,
  reason: null,
});

/** Override → grant or trial → add-on → plan → deny (R1), before parent and state are looked at. */
function verdictOf(facts: LicenseFacts, feature: Feature, now: Date): Verdict {
  const { test } = facts;
  if (test?.on.includes(feature)) return on('TEST_OVERRIDE', null, null);
  if (test?.off.includes(feature)) return { ...on('TEST_OVERRIDE', null, null), isOn: false, reason: 'OVERRIDE_OFF' };
  const override = facts.overrides.find((o) => o.key === feature && o.isEnabled !== null && isUnexpired(o, now));
  if (override) {
    const verdict = on('OVERRIDE', override.id, override.expiresAt);
    return override.isEnabled ? verdict : { ...verdict, isOn: false, reason: 'OVERRIDE_OFF' };
  }
  const given = facts.grants.filter((grant) => grant.feature === feature);
  const grant = longest(
    given.filter((g) => isWithin(now, g.startsAt, g.expiresAt)),
    (g) => g.expiresAt,
  );
  if (grant) return on(grant.source === 'TRIAL' ? 'TRIAL' : 'GRANT', grant.id, grant.expiresAt);
  const bought = facts.addOns.filter((a) => a.features.includes(feature) && isWithin(now, a.startsAt, a.endsAt));
  const addOn = longest(bought, (a) => a.endsAt);
  if (addOn) return on('ADD_ON', addOn.id, addOn.endsAt);
  const plan = test?.plan ?? facts.plan;
  if (plan.features.includes(feature)) return on(test?.plan ? 'TEST_OVERRIDE' : 'PLAN', plan.id, null);
  const ended = longest(
    given.filter((g) => g.expiresAt !== null && g.expiresAt <= now),
    (g) => g.expiresAt,
  );
  const reason = ended ? (ended.source === 'TRIAL' ? 'TRIAL_ENDED' : 'GRANT_ENDED') : 'NOT_IN_PLAN';
  return { isOn: false, source: 'DEFAULT', sourceId: null, expiresAt: null, reason };
}

function withParent(facts: LicenseFacts, feature: Feature, now: Date): Verdict {
  const verdict = verdictOf(facts, feature, now);
  const parent = parentOf(feature);
  if (!verdict.isOn || !parent || verdictOf(facts, parent, now).isOn) return verdict;
  return { ...verdict, isOn: false, reason: 'PARENT_OFF' };
}

/** Whether somebody gives the licence a feature at an instant, whatever its parent and its state leave of it. */
export const isGivenAt = (facts: LicenseFacts, feature: Feature, now: Date): boolean =>
  verdictOf(facts, feature, now).isOn;

/** The answer for one feature at an instant (R1): who says so first, then its parent, then the state's cap. */
export function entitlementAt(
  facts: LicenseFacts,
  feature: Feature,
  now: Date,
  state: LicenseState = stateAt(facts, now),
): EntitlementAnswer {
  const { isOn, reason, ...verdict } = withParent(facts, feature, now);
  if (!isOn) return { feature, ...verdict, access: 'NONE', reason };
  const access = capIn(state, ON_RESTRICTED);
  return { feature, ...verdict, access, reason: access === 'FULL' ? null : (closedBecause(facts, now, state) ?? null) };
}

/** How a feature turns by time alone at the instants to come, whatever the state leaves of it. */
export function turnsOf(
  facts: LicenseFacts,
  feature: Feature,
  now: Date,
  instants: readonly Date[],
): { at: string; to: DenialReason | 'ON' }[] {
  const wordOf = (at: Date) => withParent(facts, feature, at).reason ?? 'ON';
  const turns: { at: string; to: DenialReason | 'ON' }[] = [];
  let last = wordOf(now);
  for (const at of instants.filter((instant) => instant > now)) {
    const to = wordOf(at);
    if (to !== last) turns.push({ at: at.toISOString(), to });
    last = to;
  }
  return turns;
}

/** The answers for all features, in the catalogue's order. */
export function entitlementsAt(
  facts: LicenseFacts,
  now: Date,
  state: LicenseState = stateAt(facts, now),
): EntitlementAnswer[] {
  return FEATURE_KEYS.map((feature) => entitlementAt(facts, feature, now, state));
}

/** A quota's limit for one tenant, and who says so. Null is without end. */
export interface LimitAnswer extends PlanLimit {
  source: EntitlementSource;
  expiresAt: Date | null;
}

const ABSENT = { limit: 0n, policy: 'HARD', softMarginPercent: 0, unitRate: null, overageCap: null } as const;

/** A quota of which nothing is allowed, as for a tenant without a licence. */
export const absentLimit = (key: QuotaKey): LimitAnswer => ({ key, ...ABSENT, source: 'DEFAULT', expiresAt: null });

/**
 * `override.limit ?? max(plan + Σ ADD × quantity, largest SET)` (R2), in base units. Unlimited anywhere in the winner is
 * unlimited; a quota absent from the plan is 0; each field of an override falls back by itself.
 */
export function limitAt(facts: LicenseFacts, key: QuotaKey, now: Date): LimitAnswer {
  const plan = facts.test?.plan ?? facts.plan;
  const own = plan.limits.find((limit) => limit.key === key);
  const base = own ?? { key, ...ABSENT };
  const parts = facts.addOns
    .filter((addOn) => isWithin(now, addOn.startsAt, addOn.endsAt))
    .flatMap((addOn) =>
      addOn.limits.filter((l) => l.key === key).map((l) => ({ ...l, quantity: BigInt(addOn.quantity) })),
    );
  let summed: bigint | null = base.limit;
  let largest: bigint | null = 0n;
  for (const { mode, amount, quantity } of parts) {
    if (mode === 'ADD') summed = summed === null || amount === null ? null : summed + amount * quantity;
    else largest = largest === null || amount === null ? null : amount > largest ? amount : largest;
  }
  const sold = summed === null || largest === null ? null : largest > summed ? largest : summed;
  const override = facts.overrides.find((o) => o.key === key && isUnexpired(o, now));
  const isLimited = override !== undefined && (override.isUnlimited || override.limit !== null);
  const seller = facts.test?.plan ? 'TEST_OVERRIDE' : own ? 'PLAN' : 'DEFAULT';
  return {
    key,
    limit: isLimited ? (override.isUnlimited ? null : override.limit) : sold,
    policy: override?.policy ?? base.policy,
    softMarginPercent: override?.softMarginPercent ?? base.softMarginPercent,
    unitRate: override?.unitRate ?? base.unitRate,
    overageCap: base.overageCap,
    source: isLimited ? 'OVERRIDE' : sold === base.limit ? seller : 'ADD_ON',
    expiresAt: override?.expiresAt ?? null,
  };
}

/** A stretch of time in which a licence's answers do not change. */
export interface CourseStep {
  from: string;
  state: LicenseState;
  core: FeatureAccess;
  /** Features that are open, and why others are shut; one that is missing is simply not in the plan. */
  features: Partial<Record<Feature, Entitled>>;
}

/** The instants after the licence's start at which something may change by time alone, ascending. */
export function instantsOf(facts: LicenseFacts, ends: Ends = endsOf(facts)): Date[] {
  const { end, graceEnd, restrictedEnd } = ends;
  const all = [
    ...[facts.trialEndsAt, facts.paidUntil, end, graceEnd, restrictedEnd],
    ...facts.overrides.map((override) => override.expiresAt),
    ...facts.grants.flatMap((grant) => [grant.startsAt, grant.expiresAt]),
    ...facts.addOns.flatMap((addOn) => [addOn.startsAt, addOn.endsAt]),
  ];
  const times = new Set(all.flatMap((at) => (at && at > facts.validFrom ? [at.getTime()] : [])));
  return [...times].sort((a, b) => a - b).map((time) => new Date(time));
}

function stepFrom(facts: LicenseFacts, from: Date, ends: Ends): CourseStep {
  const state = stateAt(facts, from, ends);
  const features: CourseStep['features'] = {};
  for (const { feature, access, reason } of entitlementsAt(facts, from, state)) {
    if (access === 'NONE' && reason === 'NOT_IN_PLAN') continue;
    features[feature] = reason ? { access, reason } : { access };
  }
  return { from: from.toISOString(), state, core: coreIn(state), features };
}

/**
 * The licence's answers over time, as long as its facts stay: a step for each instant at which time alone changes one.
 * Whoever holds the course knows the answer at any instant from the licence's start, without asking and without a job.
 */
export function courseOf(facts: LicenseFacts): CourseStep[] {
  const ends = endsOf(facts);
  const steps = [facts.validFrom, ...instantsOf(facts, ends)].map((at) => stepFrom(facts, at, ends));
  const contentOf = ({ from: _, ...content }: CourseStep) => JSON.stringify(content);
  return steps.filter((step, i) => i === 0 || contentOf(step) !== contentOf(steps[i - 1] as CourseStep));
}

/** The part of a course that still matters at an instant: the step that holds and those to come. */
export function aheadOf(course: readonly CourseStep[], now: Date): CourseStep[] {
  return course.slice(
    Math.max(
      0,
      course.findLastIndex((step) => new Date(step.from) <= now),
    ),
  );
}
