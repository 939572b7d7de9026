import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { overloaded } from '../../schema/errors.ts';
import type { Context } from '../_kernel/context.ts';
import { inSpan } from '../_kernel/telemetry.ts';
import { standBack } from './background-threads.ts';
import { NOBODYS_HASH, normalPassword, PARAMETERS } from './credential.rules.ts';
import { lanes, type Reserved } from './lanes.ts';

/**
 * Hashes at once per process: two, where that leaves a processor for whatever else there is to do. Of libuv's four threads
 * name resolution and key checks need the others.
 */
const AT_ONCE = Math.min(2, Math.max(1, availableParallelism() - 1));

const inLane = lanes(AT_ONCE, 64, 2_000);

/**
 * A place among those whose password is to be checked, for who has something to do before. Throws OVERLOADED, and lets the
 * gateway know, when there is none.
 */
export function reserveCheck({ reply }: Context): Reserved {
  const place = inLane.reserve();
  if (place) return place;
  reply.isFull = true;
  throw overloaded();
}

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
 * @param inTurn runs it when its turn comes: in a place that was reserved, or by default in the next there is.
 */
export function isPasswordOf(kept: string | null, asked: string, inTurn: Reserved['run'] = inLane): Promise<boolean> {
  const password = normalPassword(asked);
  return inTurn(() =>
    inSpan('check password', {}, async () => {
      const isRight = await behindAll(verify(kept ?? NOBODYS_HASH, password ?? ''));
      return isRight && kept !== null && password !== null;
    }),
  );
}
