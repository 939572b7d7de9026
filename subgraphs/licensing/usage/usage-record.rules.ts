import { Refusal } from '../../../schema/errors.ts';

/** How old an event may be when it is told, milliseconds. */
const MAX_AGE_MS = 7 * 86_400_000;
/** How far ahead the clock of who tells it may run, milliseconds. */
const MAX_AHEAD_MS = 10 * 60_000;

/** A key of the caller's choice: 1 to 255 characters. */
export function checkKey(key: string, field: string): void {
  if (key.length < 1 || key.length > 255) throw new Refusal('INVALID', 'A key has 1 to 255 characters.', field);
}

/** When an event may have happened that is told now: up to 7 days ago, up to 10 minutes ahead. */
export function checkOccurredAt(occurredAt: Date, now: Date): void {
  const ageMs = now.getTime() - occurredAt.getTime();
  if (ageMs > MAX_AGE_MS) throw new Refusal('INVALID', 'This happened more than 7 days ago.', 'occurredAt');
  if (ageMs < -MAX_AHEAD_MS) throw new Refusal('INVALID', 'This lies more than 10 minutes ahead.', 'occurredAt');
}
