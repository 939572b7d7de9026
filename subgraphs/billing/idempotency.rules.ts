import { Refusal } from '../../schema/errors.ts';

/** Refuses with INVALID a key that is empty or over 128 characters. */
export function checkKey(key: string): string {
  if (key.length < 1 || key.length > 128)
    throw new Refusal('INVALID', 'An idempotency key has 1 to 128 characters.', 'idempotencyKey');
  return key;
}
