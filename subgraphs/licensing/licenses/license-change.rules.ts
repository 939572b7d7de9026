import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../../schema/canonical.ts';
import type { DenialReason } from '../../../schema/errors.ts';
import type { Events } from '../../../schema/events.ts';
import {
  FEATURE_KEYS,
  type Feature,
  type FeatureAccess,
  isFeature,
  QUOTA_KEYS,
  type QuotaKey,
  type QuotaPolicy,
} from '../../../schema/features.ts';
import { ceilingOf } from '../../../schema/quota.ts';
import { compareLimits } from '../catalogue/plan.rules.ts';
import { type BillingInterval, refOf } from '../catalogue/price.rules.ts';
import { instantsOf } from '../terms/course.rules.ts';
import {
  type EntitlementSource,
  enforcementAt,
  entitlementAt,
  factsAt,
  type LicenseFacts,
  spokenOf,
  turnsOf,
} from '../terms/entitlement.rules.ts';
import { closedBecause, type Ends, endsOf, type LicenseState, stateAt } from '../terms/license.rules.ts';
import { limitAt } from '../terms/limit.rules.ts';
import { toppedUpAt } from '../terms/top-up.rules.ts';

export const LICENSE_CHANGE_CAUSES = [
  'ISSUED',
  'BACKFILLED',
  'UPGRADED',
  'CHANGED',
  'SCHEDULED',
  'SCHEDULE_CANCELLED',
  'PLAN_MIGRATED',
  'AUTO_RENEW_SET',
  'RENEWED',
  'PAID',
  'OVERDUE',
  'TRIAL_EXTENDED',
  'OVERRIDE_SET',
  'OVERRIDE_REMOVED',
  'GRANTED',
  'GRANT_ENDED',
  'FEATURE_TRIAL',
  'HOLD_PLACED',
  'HOLD_LIFTED',
  'ENFORCEMENT_SET',
  'REVOKED',
  'WITHDRAWN',
  'TENANT_CLOSED',
  'TENANT_REOPENED',
  'ZONE_CHANGED',
  'TIME',
] as const;
export type LicenseChangeCause = (typeof LICENSE_CHANGE_CAUSES)[number];

/** What the present version of a licence says, by the paths that `changedKeys` names. */
export type Snapshot = Record<string, unknown>;

export interface SnapshotFacts extends LicenseFacts {
  interval: BillingInterval;
  planned?: PlannedFacts | null;
}

/** A change that waits for its instant or for money, as a version says it. */
export interface PlannedFacts {
  changeId: string;
  status: 'SCHEDULED' | 'AWAITING_PAYMENT';
  effectiveAt: Date;
  to: string;
  interval: BillingInterval;
  addOns: readonly string[];
}

/** Drops what is null or empty, so that two ways of saying nothing are the same. */
const compact = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v != null && !(Array.isArray(v) && v.length === 0)));

const iso = (at: Date | null) => at?.toISOString() ?? null;

function featureSays(facts: LicenseFacts, feature: Feature, now: Date, state: LicenseState, instants: readonly Date[]) {
  const { access, source, reason, expiresAt } = entitlementAt(facts, feature, now, state);
  const turns = turnsOf(facts, feature, now, instants);
  if (access === 'NONE' && reason === 'NOT_IN_PLAN' && turns.length === 0) return null;
  return compact({ access, source, reason, expiresAt: iso(expiresAt), turns });
}

function limitSays(facts: LicenseFacts, key: QuotaKey, now: Date) {
  const { limit, policy, softMarginPercent, unitRate, overageCap, expiresAt } = limitAt(facts, key, now);
  const most = limit === null ? 'UNLIMITED' : limit.toString();
  const [cap, topUp] = [overageCap, toppedUpAt(facts.topUps, key, now)].map((amount) => amount?.toString() ?? null);
  const terms = { limit: most, policy, softMarginPercent, unitRate, overageCap: cap, topUp };
  return compact({ ...terms, expiresAt: iso(expiresAt) });
}

/** A planned change is said until its instant; one that waits for money, until it is settled. */
function planSays({ planned }: SnapshotFacts, now: Date) {
  if (!planned || (planned.status === 'SCHEDULED' && now >= planned.effectiveAt)) return null;
  return compact({ ...planned, effectiveAt: planned.status === 'SCHEDULED' ? iso(planned.effectiveAt) : null });
}

/**
 * Everything a new version has to be made for when it changes; what the licence lacks has no key.
 * @param known what `endsOf` says of these facts, where that was asked before.
 */
export function snapshotOf(given: SnapshotFacts, asked: Date, known: Ends = endsOf(given)): Snapshot {
  const now = spokenOf(given, asked);
  const facts = factsAt(given, now);
  const ends = facts === given ? known : endsOf(facts);
  const [state, instants] = [stateAt(facts, now, ends), instantsOf(facts, ends)];
  const says: Record<string, unknown> = {
    state,
    planVersion: refOf(facts.plan.code, facts.plan.number),
    interval: facts.interval,
    enforcement: enforcementAt(facts, now),
    observeUntil: facts.observeUntil && now < facts.observeUntil ? iso(facts.observeUntil) : null,
    autoRenew: facts.autoRenew,
    trialEndsAt: iso(facts.trialEndsAt),
    validUntil: iso(ends.end),
    graceEndsAt: iso(ends.graceEnd),
    restrictedEndsAt: iso(ends.restrictedEnd),
    scheduledChange: planSays(given, now),
  };
  for (const feature of FEATURE_KEYS) says[`features.${feature}`] = featureSays(facts, feature, now, state, instants);
  for (const key of QUOTA_KEYS) says[`limits.${key}`] = limitSays(facts, key, now);
  for (const { code, version, quantity, startsAt, endsAt } of facts.addOns)
    if (!endsAt || now < endsAt)
      says[`addOns.${code}`] = compact({ version, quantity, startsAt: iso(startsAt), endsAt: iso(endsAt) });
  return compact(says);
}

/** The paths on which two versions differ, sorted. */
export function changedBetween(before: Snapshot, after: Snapshot): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isSame(before[key], after[key])).sort();
}

/** Most are the same, which is seen sooner than it is written. */
const isSame = (one: unknown, other: unknown) =>
  isDeepStrictEqual(one, other) || canonicalJson(one) === canonicalJson(other);

/** The values of the named paths; null for what a version lacks. */
export const valuesOf = (snapshot: Snapshot, keys: readonly string[]): Snapshot =>
  Object.fromEntries(keys.map((key) => [key, snapshot[key] ?? null]));

/** The instants after `since` up to `now` at which time alone has changed what the licence says, ascending. */
export function movesBetween(facts: SnapshotFacts, since: Date, now: Date, ends: Ends = endsOf(facts)): Date[] {
  return instantsOf(facts, ends).filter((at) => at > since && at <= now);
}

/** The next instant at which time alone will make a new version, or null. */
export function nextMove(facts: SnapshotFacts, now: Date): Date | null {
  const present = snapshotOf(facts, now);
  const isMove = (at: Date) => at > now && changedBetween(present, snapshotOf(facts, at)).length > 0;
  return instantsOf(facts).find(isMove) ?? null;
}

interface FeatureSays {
  access: FeatureAccess;
  source: EntitlementSource;
  reason?: DenialReason;
  expiresAt?: string;
}

const accessIn = (snapshot: Snapshot, feature: Feature) =>
  (snapshot[`features.${feature}`] as FeatureSays | undefined)?.access ?? 'NONE';

/** Features that are open in a version, fully or for reading. */
export const enabledIn = (snapshot: Snapshot): Feature[] =>
  FEATURE_KEYS.filter((feature) => accessIn(snapshot, feature) !== 'NONE');

/** Features a new version opens, who says so, and until when. */
export function startedBetween(
  before: Snapshot,
  after: Snapshot,
): { feature: Feature; source: EntitlementSource; endsAt?: string }[] {
  return FEATURE_KEYS.filter((f) => accessIn(before, f) === 'NONE' && accessIn(after, f) !== 'NONE').map((feature) => {
    const { source, expiresAt } = after[`features.${feature}`] as FeatureSays;
    return { feature, source, ...(expiresAt ? { endsAt: expiresAt } : {}) };
  });
}

/** Features a new version shuts, and why. */
export function endedBetween(before: Snapshot, after: Snapshot): { feature: Feature; reason: DenialReason }[] {
  return FEATURE_KEYS.filter((f) => accessIn(before, f) !== 'NONE' && accessIn(after, f) === 'NONE').map((feature) => ({
    feature,
    reason: (after[`features.${feature}`] as FeatureSays | undefined)?.reason ?? 'NOT_IN_PLAN',
  }));
}

interface LimitSays {
  limit: string;
  policy: QuotaPolicy;
  softMarginPercent: number;
  overageCap?: string;
}

/** The limit a version allows, in base units: null is without end, and what was never said is nothing. */
const limitIn = (says: LimitSays | undefined): bigint | null =>
  says?.limit === 'UNLIMITED' ? null : BigInt(says?.limit ?? 0);

const saysOf = (snapshot: Snapshot, key: QuotaKey) => snapshot[`limits.${key}`] as LimitSays | undefined;

const digits = (limit: bigint | null) => limit?.toString() ?? null;

/** The limits of a version, in base units; null is without end. */
export const limitsIn = (snapshot: Snapshot) =>
  Object.fromEntries(QUOTA_KEYS.map((key) => [key, digits(limitIn(saysOf(snapshot, key)))])) as Record<
    QuotaKey,
    string | null
  >;

/**
 * The limits a new version raises or lowers: compared is how much may be used, which hangs on the policy too. The first
 * version has nothing to compare with.
 */
export function limitsBetween(
  before: Snapshot,
  after: Snapshot,
): { key: QuotaKey; from: string | null; to: string | null; isRaised: boolean }[] {
  if (Object.keys(before).length === 0) return [];
  const mostIn = (says: LimitSays | undefined) =>
    says
      ? ceilingOf(limitIn(says), says.policy, says.softMarginPercent, says.overageCap ? BigInt(says.overageCap) : null)
      : 0n;
  return QUOTA_KEYS.flatMap((key) => {
    const [had, has] = [saysOf(before, key), saysOf(after, key)];
    const sign = compareLimits(mostIn(has), mostIn(had));
    return sign === 0 ? [] : [{ key, from: digits(limitIn(had)), to: digits(limitIn(has)), isRaised: sign > 0 }];
  });
}

/** What the event of a new version tells of it. */
export function changedEvent(
  before: Snapshot,
  after: Snapshot,
  facts: SnapshotFacts,
  at: Date,
  made: { version: number; previousVersion: number; changedKeys: string[]; cause: LicenseChangeCause },
  ends: Ends = endsOf(facts),
): Events['licensing.license.changed'] {
  const state = stateAt(facts, at, ends);
  return {
    ...made,
    endedFeatures: endedBetween(before, after),
    state,
    stateWithoutHolds: stateAt({ ...facts, openHolds: [] }, at, ends),
    enabledFeatures: enabledIn(after),
    limits: limitsIn(after),
    effectiveAt: at.toISOString(),
    ...(made.changedKeys.includes('state') ? { reason: closedBecause(facts, at, state) } : {}),
  };
}

const PARTS = ['features', 'limits', 'addOns'];

/** Whether a text can be one of the paths of `changedKeys`. */
export const isChangeKey = (key: string): boolean => {
  const [part = '', ...rest] = key.split('.');
  const name = rest.join('.');
  return PARTS.includes(part)
    ? part === 'features'
      ? isFeature(name)
      : /^[a-z][a-z0-9_]{1,31}$/.test(name)
    : /^[a-zA-Z]{1,32}$/.test(key);
};
