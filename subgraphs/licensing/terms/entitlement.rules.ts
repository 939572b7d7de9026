import type { DenialReason } from '../../../schema/errors.ts';
import {
  FEATURE_KEYS,
  type Feature,
  type FeatureAccess,
  parentOf,
  type QuotaPolicy,
} from '../../../schema/features.ts';
import type { Meter } from '../catalogue/add-on.rules.ts';
import type { AddOnLimit, PlanLimit } from '../catalogue/plan.rules.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import {
  capIn,
  closedBecause,
  type Enforcement,
  type LicenseState,
  type StateFacts,
  stateAt,
} from './license.rules.ts';
import type { TopUpFacts } from './top-up.rules.ts';

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
  /** What it charges of use above a limit. */
  meter: Meter | null;
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
  /** Since when it is revoked; where that is not known, since ever. */
  revokedAt?: Date | null;
  /** Features the last change of what is sold took away. */
  lost?: readonly Feature[];
  /** What time alone will make of it. */
  scheduled?: ScheduledFacts | null;
  topUps: readonly TopUpFacts[];
  /** Until then gates only observe; null where they refuse. */
  observeUntil: Date | null;
  test?: TestOverride;
}

/** What is sold from an instant on, with the days that hang on the plan. */
export interface ScheduledFacts extends Pick<LicenseFacts, 'plan' | 'addOns' | 'graceDays' | 'restrictedDays'> {
  at: Date;
  interval: BillingInterval;
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

/** Whether gates refuse at an instant, or only observe. */
export const enforcementAt = ({ observeUntil }: Pick<LicenseFacts, 'observeUntil'>, now: Date): Enforcement =>
  observeUntil && now < observeUntil ? 'OBSERVE' : 'ENFORCE';

/**
 * What gates let pass at an instant of features that are simply not in the plan: nothing, unless they only observe, and
 * then what the state would leave of them.
 */
export const observedAt = (facts: LicenseFacts, now: Date, state: LicenseState = stateAt(facts, now)): FeatureAccess =>
  enforcementAt(facts, now) === 'OBSERVE' ? capIn(state, ON_RESTRICTED) : 'NONE';

export const isWithin = (now: Date, startsAt: Date, endsAt: Date | null) =>
  startsAt <= now && (endsAt === null || now < endsAt);
export const isUnexpired = (override: OverrideFacts, now: Date) =>
  override.expiresAt === null || now < override.expiresAt;

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
  const never = facts.lost?.includes(feature) ? 'DOWNGRADED' : 'NOT_IN_PLAN';
  const reason = ended ? (ended.source === 'TRIAL' ? 'TRIAL_ENDED' : 'GRANT_ENDED') : never;
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

/** What a change of what is sold leaves lost at an instant: what it takes away, and what was lost and is not given back. */
export const lostBy = (before: LicenseFacts, after: LicenseFacts, at: Date): Feature[] =>
  FEATURE_KEYS.filter(
    (key) => !isGivenAt(after, key, at) && (isGivenAt(before, key, at) || (before.lost?.includes(key) ?? false)),
  );

/** The facts that hold at an instant: a scheduled change holds from its instant on, whether or not a job has run. */
export function factsAt<F extends LicenseFacts>(facts: F, now: Date): F {
  if (!facts.scheduled || facts.isRevoked || now < facts.scheduled.at) return facts;
  const { at, ...sold } = facts.scheduled;
  const after = { ...facts, ...sold, scheduled: null };
  return { ...after, lost: lostBy(facts, after, at) };
}

/** The instant of which a licence speaks at `now`: a revoked one goes on saying what it said when it was revoked. */
export const spokenOf = (facts: LicenseFacts, now: Date): Date =>
  facts.isRevoked ? (facts.revokedAt ?? facts.validFrom) : now;

/** A revoked licence says one thing of every feature, for ever. */
const REVOKED = { access: 'NONE', source: 'DEFAULT', sourceId: null, expiresAt: null, reason: 'REVOKED' } as const;

/** The answer for one feature at an instant (R1): who says so first, then its parent, then the state's cap. */
export function entitlementAt(
  facts: LicenseFacts,
  feature: Feature,
  now: Date,
  state: LicenseState = stateAt(facts, now),
): EntitlementAnswer {
  if (state === 'REVOKED') return { feature, ...REVOKED };
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
  const wordOf = (at: Date) => withParent(factsAt(facts, at), feature, at).reason ?? 'ON';
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
