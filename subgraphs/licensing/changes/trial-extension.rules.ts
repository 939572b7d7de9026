import { addDays } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';
import { type StateFacts, stateAt } from '../terms/license.rules.ts';

/** A trial ends this many days ahead at most, as far as the longest that a plan may have. */
const MAX_TRIAL_DAYS = 90;

/**
 * Refuses to extend what is no unpaid trial (INVALID_STATE), and an end that is not later than the one it has or too far
 * ahead (INVALID).
 */
export function checkExtension(facts: StateFacts, until: Date, now: Date): void {
  const { trialEndsAt, paidUntil, zone } = facts;
  if (stateAt(facts, now) !== 'TRIAL' || !trialEndsAt)
    throw new Refusal('INVALID_STATE', 'Only a licence in its trial is extended.', 'tenantId');
  if (paidUntil) throw new Refusal('INVALID_STATE', 'This licence is paid already.', 'tenantId');
  if (until <= trialEndsAt) throw new Refusal('INVALID', 'The end is later than the one it has.', 'until');
  if (until > addDays(now, MAX_TRIAL_DAYS, zone))
    throw new Refusal('INVALID', `A trial ends at most ${MAX_TRIAL_DAYS} days ahead.`, 'until');
}
