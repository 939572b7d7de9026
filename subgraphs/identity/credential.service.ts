import { hash, verify } from '@node-rs/argon2';
import { inSpan } from '../_kernel/telemetry.ts';
import { standBack } from './background-threads.ts';
import { NOBODYS_HASH, normalPassword, PARAMETERS } from './credential.rules.ts';
import { lanes } from './lanes.ts';

/** Two hashes at once per process: libuv has four threads, and name resolution and key checks need the others. */
const inLane = lanes(2, 64, 2_000);

/** Throws OVERLOADED when no more passwords can wait to be checked now. */
export const refuseIfHashingIsFull = (): void => inLane.refuseIfFull();

/** Two hashes fill two processors: whatever else there is to do goes first. */
function behindAll<T>(hashing: Promise<T>): Promise<T> {
  standBack();
  return hashing;
}

/** Hashes a password for keeping, argon2id in PHC form. Throws OVERLOADED when too many wait. */
export function hashPassword(password: string): Promise<string> {
  return inLane(() => inSpan('hash password', {}, () => behindAll(hash(password.normalize('NFC'), PARAMETERS))));
}

/**
 * Whether a password is that of a hash. Without a hash the same work is done and the answer is no.
 * Throws OVERLOADED when too many wait.
 */
export function isPasswordOf(kept: string | null, asked: string): Promise<boolean> {
  const password = normalPassword(asked);
  return inLane(() =>
    inSpan('check password', {}, async () => {
      const isRight = await behindAll(verify(kept ?? NOBODYS_HASH, password ?? ''));
      return isRight && kept !== null && password !== null;
    }),
  );
}
