import { hashOf } from '../../schema/canonical.ts';
import { Refusal } from '../../schema/errors.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';

/** How long a first answer is kept, hours. */
const KEPT_HOURS = 72;
const LOCK_TIMEOUT = '55P03';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Runs a use case once per key: asked again with the same request, it gives the first answer without running. Call it
 * inside `ctx.tx`; the key is stored in that transaction, so a refused or failed first try leaves no trace.
 * The answer is kept 72 hours as JSON: return ids, not entities.
 * Throws Refusal INVALID for an empty key, IDEMPOTENCY_MISMATCH when the key stands for another request, and
 * IDEMPOTENCY_IN_PROGRESS while the first one still runs.
 */
export async function once<T extends Json>(
  ctx: Context,
  em: EntityManager,
  asked: { door: string; key: string; request: unknown },
  run: () => Promise<T>,
): Promise<T> {
  if (asked.key.length < 1 || asked.key.length > 255)
    throw new Refusal('INVALID', 'An idempotency key has 1 to 255 characters.', 'idempotencyKey');
  const requestHash = hashOf({ actor: ctx.actorId, request: asked.request });
  await em.execute('delete from kernel.idempotency_key where door = ? and key = ? and expires_at < now()', [
    asked.door,
    asked.key,
  ]);
  const [mine] = await em
    .execute(
      `insert into kernel.idempotency_key (door, key, request_hash, expires_at)
       values (?, ?, ?, now() + make_interval(hours => ?)) on conflict do nothing returning 1 as is_first`,
      [asked.door, asked.key, requestHash, KEPT_HOURS],
    )
    .catch((error: Error & { code?: string }) => {
      if (error.code === LOCK_TIMEOUT)
        throw new Refusal(
          'IDEMPOTENCY_IN_PROGRESS',
          'The first request with this key is still running.',
          'idempotencyKey',
        );
      throw error;
    });
  if (!mine) {
    const [kept] = await em.execute(
      'select request_hash, answer from kernel.idempotency_key where door = ? and key = ?',
      [asked.door, asked.key],
    );
    if (kept?.request_hash !== requestHash)
      throw new Refusal('IDEMPOTENCY_MISMATCH', 'This key was used for another request.', 'idempotencyKey');
    return kept.answer as T;
  }
  const answer = await run();
  await em.execute('update kernel.idempotency_key set answer = ?::jsonb where door = ? and key = ?', [
    JSON.stringify(answer),
    asked.door,
    asked.key,
  ]);
  return answer;
}
