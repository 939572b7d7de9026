import { unauthenticated } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { review } from '../refresh.service.ts';
import type { Session } from '../session.entity.ts';
import { selfOf } from '../session.service.ts';
import { inSession } from '../standing.service.ts';

/**
 * What every change of one's own second factors has in common: one at a time for a person, in the session that asks, which
 * then stands as the policy says; all other sessions end (identity R8).
 */
export async function changeFactors<T>(
  ctx: Context,
  change: (em: EntityManager, session: Session) => Promise<T>,
): Promise<T> {
  const { userId, sessionId } = selfOf(ctx);
  const made = await inSession(ctx, sessionId, async (em, session) => {
    if (session.endReason) return null;
    await lockFactors(em, userId);
    const value = await change(em, session);
    await em.flush();
    await review(ctx, em, session);
    return { value, ended: await stopSessions(em, userId, 'FACTOR_CHANGED', sessionId) };
  });
  if (!made) throw unauthenticated('REVOKED');
  await tellEnds(ctx, made.ended);
  return made.value;
}

/** Two devices of one person that change factors come one after the other. */
export async function lockFactors(em: EntityManager, userId: string): Promise<void> {
  await em.execute('select from identity.user where id = ? for update', [userId]);
}
