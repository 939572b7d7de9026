import { Refusal } from '../../../schema/errors.ts';
import type { Events } from '../../../schema/events.ts';
import {
  changedBetween,
  changedEvent,
  movesBetween,
  nextMove,
  type Snapshot,
  type SnapshotFacts,
  snapshotOf,
  valuesOf,
} from '../licenses/license-change.rules.ts';
import { aheadOf, type CourseStep, courseOf } from '../terms/course.rules.ts';
import { enforcementAt } from '../terms/entitlement.rules.ts';
import { type Enforcement, endsOf } from '../terms/license.rules.ts';

/** How long gates may only observe at most, days. */
const MAX_DAYS = 30;
/** Tenants that can be named at once; more are all. */
const MAX_TENANTS = 100;

export interface EnforcementTerms {
  /** Null where all are meant. */
  tenantIds: readonly string[] | null;
  mode: Enforcement;
  observeUntil: Date | null;
}

/** Refuses with INVALID and the field an order that names no tenants or too many, or no end or one too far. */
export function checkEnforcement(
  tenantIds: readonly string[] | null,
  isAll: boolean,
  mode: Enforcement,
  observeUntil: Date | null,
  now: Date,
): EnforcementTerms {
  if (isAll === (tenantIds !== null) || tenantIds?.length === 0)
    throw new Refusal('INVALID', 'Name tenants, or say all.', 'tenantIds');
  if (tenantIds && tenantIds.length > MAX_TENANTS)
    throw new Refusal('INVALID', `At most ${MAX_TENANTS} tenants at once.`, 'tenantIds');
  const refuse = (sentence: string) => new Refusal('INVALID', sentence, 'observeUntil');
  if (mode === 'ENFORCE' && observeUntil) throw refuse('What is enforced has no end.');
  if (mode === 'OBSERVE') {
    if (!observeUntil) throw refuse('Say until when gates only observe.');
    if (observeUntil <= now) throw refuse('The end is still to come.');
    if (observeUntil.getTime() - now.getTime() > MAX_DAYS * 86_400_000)
      throw refuse(`The end is at most ${MAX_DAYS} days ahead.`);
  }
  return { tenantIds: tenantIds && [...new Set(tenantIds)], mode, observeUntil };
}

/** A licence as its last version left it. */
export interface VersionFacts {
  version: number;
  snapshot: Snapshot;
  snapshotAt: Date | null;
  nextTransitionAt: Date | null;
}

/** The next version of a licence of which nothing but the enforcement changes. */
export interface EnforcementVersion {
  version: number;
  changedKeys: string[];
  before: Snapshot;
  after: Snapshot;
  event: Events['licensing.license.changed'];
  course: CourseStep[];
  nextTransitionAt: Date | null;
}

const KEYS: readonly string[] = ['enforcement', 'observeUntil'];

/**
 * The version that lets gates observe until an instant, or refuse again; null if they do already. OTHERWISE: the
 * licence has more to say than that, for time has moved it, and takes the way of any other change.
 */
export function enforcementVersion(
  license: VersionFacts,
  facts: SnapshotFacts,
  observeUntil: Date | null,
  now: Date,
): EnforcementVersion | 'OTHERWISE' | null {
  const ends = endsOf(facts); // found once: a fleet has many licences
  if (!license.snapshotAt || movesBetween(facts, license.snapshotAt, now, ends).length > 0) return 'OTHERWISE';
  const wanted = { ...facts, observeUntil };
  const snapshot = snapshotOf(wanted, now, ends);
  const changedKeys = changedBetween(license.snapshot, snapshot);
  if (changedKeys.length === 0) return null;
  if (changedKeys.some((key) => !KEYS.includes(key))) return 'OTHERWISE';
  const made = { version: license.version + 1, previousVersion: license.version, changedKeys };
  return {
    version: made.version,
    changedKeys,
    before: valuesOf(license.snapshot, changedKeys),
    after: valuesOf(snapshot, changedKeys),
    event: changedEvent(license.snapshot, snapshot, wanted, now, { ...made, cause: 'ENFORCEMENT_SET' }, ends),
    course: aheadOf(courseOf(wanted, ends), now),
    nextTransitionAt: nextTransition(license, facts, wanted, now),
  };
}

/** When time will make the next version: at the end of observing, or where it would have anyway. */
function nextTransition(license: VersionFacts, was: SnapshotFacts, wanted: SnapshotFacts, now: Date): Date | null {
  const { nextTransitionAt: known } = license;
  if (wanted.isRevoked) return null;
  if (was.observeUntil && known?.getTime() === was.observeUntil.getTime()) return nextMove(wanted, now);
  const end = enforcementAt(wanted, now) === 'OBSERVE' ? wanted.observeUntil : null;
  return known && end ? (known < end ? known : end) : (known ?? end);
}
