import { unauthenticated } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Credential } from '../credential.entity.ts';
import { hashPassword, isPasswordOf } from '../credential.service.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { everyPlaceOf } from '../place.service.ts';
import { rotate } from '../refresh.service.ts';
import type { SessionTokens } from '../session.entity.ts';
import { selfOf } from '../session.service.ts';
import { inSession, standingIn } from '../standing.service.ts';
import { presentOf, profilesOf, readBriefly } from '../tenant.service.ts';
import { issueTokens } from '../token.service.ts';
import { User } from '../user.entity.ts';
import { warn } from './mails.service.ts';
import { type Bearer, checkPassword, samePassword } from './password.rules.ts';

/** What a person's password must not be. */
export async function bearerFor(ctx: Context, { id, realm, email, displayName }: User): Promise<Bearer> {
  const slugs = (await everyPlaceOf(ctx, id)).map(({ slug }) => slug);
  const own = realm === 'STAFF' ? undefined : (await ctx.acrossTenants((em) => profilesOf(em, [realm]))).get(realm);
  return { realm, email: email ?? '', displayName, slugs: own ? [...slugs, own.slug] : slugs };
}

/** Checks a new password of a person and hashes it; refuses INVALID also for the present one. */
export async function hashNewPassword(ctx: Context, user: User, typed: string): Promise<string> {
  const password = checkPassword(typed, await bearerFor(ctx, user));
  const present = await readBriefly(ctx, (em) => em.findOne(Credential, { userId: user.id }));
  if (present && (await isPasswordOf(present.hash, password))) throw samePassword();
  return hashPassword(password);
}

/** Gives a locked person a new password, and tells the log and them. */
export async function setPassword(ctx: Context, em: EntityManager, user: User, hash: string): Promise<void> {
  user.passwordChangedAt = (await presentOf(em)).now;
  await em.upsert(Credential, { userId: user.id, hash });
  emit(em, 'identity.password.changed', { userId: user.id });
  await warn(ctx, em, 'PASSWORD', user.id);
}

/**
 * Gives who asks another password; all their other sessions end, and this one goes on with new tokens.
 * Refuses INVALID naming the rule for a password that may not be.
 */
export async function changePassword(ctx: Context, typed: string): Promise<SessionTokens> {
  const { userId, sessionId } = selfOf(ctx);
  const self = await readBriefly(ctx, (em) => em.findOneOrFail(User, { id: userId }));
  const hash = await hashNewPassword(ctx, self, typed);
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, userId, 'person');
    await setPassword(ctx, em, user, hash);
    return stopSessions(em, userId, 'PASSWORD_CHANGED', sessionId);
  });
  await tellEnds(ctx, ended);
  return nextTokens(ctx, sessionId);
}

/** The next tokens of one's session, whose proof stays as old as it is. */
async function nextTokens(ctx: Context, sessionId: string): Promise<SessionTokens> {
  const open = await inSession(ctx, sessionId, async (em, session) => {
    const standing = await standingIn(em, session.userId, session.membershipId);
    const { fault, realm, membership, slug, name } = standing;
    if (session.endReason || fault) return null;
    rotate(session, standing);
    tellGateways(em, 'grants', `session:${session.id}`);
    return { session, realm, membership, slug, name };
  });
  if (!open) throw unauthenticated('REVOKED');
  return issueTokens(ctx, open);
}
