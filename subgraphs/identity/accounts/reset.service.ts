import { LockMode } from '@mikro-orm/core';
import { badInput } from '../../../schema/errors.ts';
import { isPlain } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { realmOf } from '../sign-in.service.ts';
import { bucketKeysOf, clearMail } from '../sign-in-bucket.service.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import { macKey } from '../token.service.ts';
import { User } from '../user.entity.ts';
import { normalEmail } from '../user.rules.ts';
import { advancePerson, mayReset } from './account.rules.ts';
import { locks, subjectOfLock } from './account-lock.rules.ts';
import { deadLink } from './mail-proof.rules.ts';
import { bearerOf, giveProof, useProof } from './mail-proof.service.ts';
import { reset } from './mails.rules.ts';
import { linkTo, post } from './mails.service.ts';
import { hashNewPassword, setPassword } from './password.service.ts';
import { mayMail } from './throttle.service.ts';

/**
 * Mails somebody the link with which they choose a new password. Unknown mails, suspended people and a fourth request
 * within an hour get the same answer and no mail.
 * @param slug of the ISP whose subscriber it is; null for staff.
 */
export async function requestPasswordReset(ctx: Context, typed: string, slug: string | null): Promise<void> {
  if (slug !== null && !isPlain(slug)) throw badInput('A text holds what no text can hold.');
  const realm = await realmOf(ctx, slug);
  const email = normalEmail(typed);
  if (!email) return;
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await em.findOne(User, { realm, email });
    if (!(await mayMail(ctx, em, realm, email)) || !user || !mayReset(user)) return;
    const token = await giveProof(em, user.id, 'RESET');
    post(em, email, reset(user.displayName, await linkTo(ctx, realm, 'reset-password', token)));
  });
}

/**
 * Gives the reader of a mail a new password. All sessions of theirs end; their second factor stays and is asked for at
 * the next sign-in. Failures at their mail are forgotten. Who locked their own account opens it by this, and who had not proved their mail has done so.
 * Refuses INVALID for a link that does not work and naming the rule for a password that may not be.
 */
export async function resetPassword(ctx: Context, token: string, typed: string): Promise<void> {
  const bearer = await readBriefly(ctx, (em) => bearerOf(em, token, ['RESET']));
  if (!mayReset(bearer)) throw deadLink();
  const hash = await hashNewPassword(ctx, bearer, typed);
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const { userId } = await useProof(em, token, ['RESET']);
    const user = await lockOrRefuse(em, User, userId, 'person');
    if (!mayReset(user)) throw deadLink();
    if (user.state === 'SUSPENDED') emit(em, 'identity.user.restored', { userId });
    if (user.state === 'UNPROVED') emit(em, 'identity.user.activated', { userId });
    if (user.state !== 'ACTIVE') user.state = advancePerson(user.state, 'ACTIVE');
    Object.assign(user, { isLockedByOwner: false, isEmailVerified: true });
    await setPassword(ctx, em, user, hash);
    if (user.email) await clearMail(em, bucketKeysOf(ctx, user.realm, user.email));
    return stopSessions(em, userId, 'PASSWORD_CHANGED');
  });
  await tellEnds(ctx, ended);
}

/**
 * Locks the account a warning mail was about: nobody signs in any more until its reader sets a new password. Locking one
 * that is locked changes nothing. Refuses INVALID for a link that does not work.
 */
export async function lockMyAccount(ctx: Context, token: string): Promise<void> {
  const subject = subjectOfLock(token);
  if (!subject) throw deadLink();
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await em.findOne(User, { id: subject }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!user || !locks(macKey(ctx), token, user, (await presentOf(em)).now)) throw deadLink();
    if (user.state !== 'ACTIVE') return [];
    user.state = advancePerson(user.state, 'SUSPENDED');
    user.isLockedByOwner = true;
    emit(em, 'identity.user.suspended', { userId: user.id });
    return stopSessions(em, user.id, 'USER_SUSPENDED');
  });
  await tellEnds(ctx, ended);
}
