import type { DenialReason, Entitled } from '../../../schema/errors.ts';
import type { Feature, FeatureAccess } from '../../../schema/features.ts';
import { entitlementsAt, factsAt, type LicenseFacts, observedAt } from './entitlement.rules.ts';
import { closedBecause, coreIn, type Ends, endsOf, type LicenseState, stateAt } from './license.rules.ts';

/** A stretch of time in which a licence's answers do not change. */
export interface CourseStep {
  from: string;
  state: LicenseState;
  core: FeatureAccess;
  /** Why the core is not open in full. */
  coreReason?: DenialReason;
  /** Features that are open, and why others are shut; one that is missing is simply not in the plan. */
  features: Partial<Record<Feature, Entitled>>;
  /** While gates only observe: what they let pass of features that are simply not in the plan. */
  observed?: FeatureAccess;
}

/**
 * The instants after the licence's start at which something may change by time alone, ascending. Over a revoked licence
 * time has no power any more.
 */
export function instantsOf(facts: LicenseFacts, ends: Ends = endsOf(facts)): Date[] {
  if (facts.isRevoked) return [];
  const { end, graceEnd, restrictedEnd } = ends;
  const all = [
    ...[facts.trialEndsAt, facts.paidUntil, end, graceEnd, restrictedEnd, facts.observeUntil],
    ...facts.overrides.map((override) => override.expiresAt),
    ...facts.grants.flatMap((grant) => [grant.startsAt, grant.expiresAt]),
    ...facts.topUps.flatMap((topUp) => [topUp.startsAt, topUp.expiresAt]),
    ...facts.addOns.flatMap((addOn) => [addOn.startsAt, addOn.endsAt]),
    ...scheduledInstants(facts),
  ];
  const times = new Set(all.flatMap((at) => (at && at > facts.validFrom ? [at.getTime()] : [])));
  return [...times].sort((a, b) => a - b).map((time) => new Date(time));
}

/** When a scheduled change holds, and what follows by time alone from then on. */
function scheduledInstants({ scheduled, ...facts }: LicenseFacts): Date[] {
  if (!scheduled) return [];
  const { at } = scheduled;
  return [at, ...instantsOf(factsAt({ ...facts, scheduled }, at)).filter((instant) => instant > at)];
}

/** What a licence says of its features from an instant on, until time changes it. */
export function stepFrom(facts: LicenseFacts, from: Date, ends: Ends): CourseStep {
  const state = stateAt(facts, from, ends);
  const features: CourseStep['features'] = {};
  for (const { feature, access, reason } of entitlementsAt(facts, from, state)) {
    if (access === 'NONE' && reason === 'NOT_IN_PLAN') continue;
    features[feature] = reason ? { access, reason } : { access };
  }
  const observed = observedAt(facts, from, state);
  const passed = observed === 'NONE' ? {} : { observed };
  const coreReason = closedBecause(facts, from, state);
  const core = { core: coreIn(state), ...(coreReason ? { coreReason } : {}) };
  return { from: from.toISOString(), state, ...core, features, ...passed };
}

/**
 * The licence's answers over time, as long as its facts stay: a step for each instant at which time alone changes one.
 * Whoever holds the course knows the answer at any instant from the licence's start, without asking and without a job.
 */
export function courseOf(facts: LicenseFacts, ends: Ends = endsOf(facts)): CourseStep[] {
  const steps = [facts.validFrom, ...instantsOf(facts, ends)].map((at) => {
    const held = factsAt(facts, at);
    return stepFrom(held, at, held === facts ? ends : endsOf(held));
  });
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
