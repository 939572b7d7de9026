import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { User } from '../user.entity.ts';
import { advancePerson } from './account.rules.ts';

export interface Suspension {
  userId: string;
  reason: string;
}

const checkReason = (typed: string) => text(typed, 200, 'reason', { name: 'A reason', min: 5 });

/**
 * Keeps a person out of every tenant; their sessions end and their second factor stays. Who locked their own account can
 * then no longer open it by themselves. Refuses NOT_FOUND, INVALID for a missing reason, INVALID_STATE for oneself and for
 * who is no active person.
 */
export async function suspendUser(ctx: Context, { userId, reason }: Suspension): Promise<void> {
  checkReason(reason);
  if (userId === ctx.actorId) throw new Refusal('INVALID_STATE', 'Nobody suspends themselves.', 'userId');
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, userId, 'person', { field: 'userId' });
    if (!user.isLockedByOwner) user.state = advancePerson(user.state, 'SUSPENDED');
    user.isLockedByOwner = false;
    emit(em, 'identity.user.suspended', { userId }, { subject: userId, reason });
    return stopSessions(em, userId, 'USER_SUSPENDED');
  });
  await tellEnds(ctx, ended);
}

/** Lets a suspended person in again, whoever locked their account. Refuses as `suspendUser` does. */
export async function restoreUser(ctx: Context, { userId, reason }: Suspension): Promise<void> {
  checkReason(reason);
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, userId, 'person', { field: 'userId' });
    if (user.state !== 'SUSPENDED') throw new Refusal('INVALID_STATE', 'This person is not suspended.', 'userId');
    user.state = advancePerson(user.state, 'ACTIVE');
    user.isLockedByOwner = false;
    emit(em, 'identity.user.restored', { userId }, { subject: userId, reason });
  });
}
