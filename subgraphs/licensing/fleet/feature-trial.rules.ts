import { addDays } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';
import { FEATURES, type Feature, parentOf } from '../../../schema/features.ts';
import { entitlementAt, type LicenseFacts } from '../terms/entitlement.rules.ts';
import { type LicenseState, stateAt } from '../terms/license.rules.ts';

/** A feature is tried again after this many days at the earliest. */
const FEATURE_TRIAL_PAUSE_DAYS = 365;

const TRIES: readonly LicenseState[] = ['TRIAL', 'ACTIVE', 'GRACE'];

/**
 * Refuses with INVALID_STATE a trial of a feature that nobody can use yet, that was tried within 365 days, that is open
 * already or was shut for this tenant, and any in a licence that is not open; with INVALID one whose parent is shut.
 * `triedAt` are the starts of the tenant's trials of this feature.
 */
export function checkFeatureTrial(facts: LicenseFacts, feature: Feature, triedAt: readonly Date[], now: Date): void {
  const refuse = (sentence: string) => new Refusal('INVALID_STATE', sentence, 'feature');
  const state = stateAt(facts, now);
  if (!TRIES.includes(state)) throw refuse(`No trial starts while the licence is ${state.toLowerCase()}.`);
  if (FEATURES[feature].state !== 'AVAILABLE') throw refuse(`${feature} cannot be tried yet.`);
  if (triedAt.some((at) => addDays(at, FEATURE_TRIAL_PAUSE_DAYS, facts.zone) > now))
    throw refuse('This trial has been used.');
  const { access, reason } = entitlementAt(facts, feature, now);
  if (access === 'FULL') throw refuse('This feature is already included.');
  if (reason === 'OVERRIDE_OFF') throw refuse(`${feature} is switched off for this tenant.`);
  const parent = parentOf(feature);
  if (parent && entitlementAt(facts, parent, now).access !== 'FULL')
    throw new Refusal('INVALID', `${feature} needs the ${parent} feature.`, 'feature');
}
