import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { languageTag } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Credential } from '../credential.entity.ts';
import { hashPassword } from '../credential.service.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import type { SignedIn } from '../factors/first-proof.service.ts';
import { copyStaffEverywhere } from '../membership.steps.ts';
import { presentOf } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { checkDisplayName, normalEmail } from '../user.rules.ts';
import { advancePerson } from './account.rules.ts';
import { sendActivation } from './invitation.service.ts';
import type { MailProof } from './mail-proof.entity.ts';
import { deadLink } from './mail-proof.rules.ts';
import { giveProof, useProof } from './mail-proof.service.ts';
import { alreadyRegistered, verification } from './mails.rules.ts';
import { linkTo, post, warn } from './mails.service.ts';
import { checkPassword } from './password.rules.ts';
import { countAtDoor, mayMail } from './throttle.service.ts';

export interface Registration {
  email: string;
  password: string;
  displayName: string;
  locale?: string | null;
}

/**
 * Registers somebody of realm STAFF, who may sign in at once and enters no tenant before their mail is proved. Whether the
 * mail has an account already is told to its reader alone. Registering again before it is proved begins anew, so that
 * nobody waits with a password of theirs for another to prove the mail.
 * Refuses INVALID for what no account can have; throws RATE_LIMITED.
 */
export async function registerUser(ctx: Context, asked: Registration): Promise<void> {
  await countAtDoor(ctx, 'registerUser');
  const email = normalEmail(asked.email);
  if (!email) throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
  const displayName = checkDisplayName(asked.displayName);
  const locale = languageTag(asked.locale, 'locale') ?? 'en';
  const hash = await hashPassword(checkPassword(asked.password, { realm: 'STAFF', email, displayName, slugs: [] }));
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await newcomer(em, { email, displayName, locale });
    if (!(await mayMail(ctx, em, 'STAFF', email))) return [];
    if (user.state === 'UNPROVED') return begin(ctx, em, user, { displayName, locale, hash });
    await tellOwner(ctx, em, user, email);
    return [];
  });
  await tellEnds(ctx, ended);
}

/** The person with this mail, written down when there is none; locked. */
async function newcomer(em: EntityManager, made: Pick<User, 'displayName' | 'locale'> & { email: string }) {
  const { now } = await presentOf(em);
  const [added] = await em.execute(
    `insert into identity.user (id, realm, email, is_email_verified, display_name, locale, state, created_at)
     values (?, 'STAFF', ?, false, ?, ?, 'UNPROVED', ?) on conflict (realm, email) do nothing returning id`,
    [uuidv7(), made.email, made.displayName, made.locale, now],
  );
  if (added) emit(em, 'identity.user.registered', { userId: String(added.id) });
  const { id } = await em.findOneOrFail(User, { realm: 'STAFF', email: made.email });
  return lockOrRefuse(em, User, id, 'person');
}

async function begin(
  ctx: Context,
  em: EntityManager,
  user: User,
  { hash, ...said }: { displayName: string; locale: string; hash: string },
) {
  const { now } = await presentOf(em);
  Object.assign(user, said, { passwordChangedAt: now });
  await em.upsert(Credential, { userId: user.id, hash });
  const token = await giveProof(em, user.id, 'VERIFY');
  post(em, String(user.email), verification(await linkTo(ctx, 'STAFF', 'prove-email', token)));
  return stopSessions(em, user.id, 'PASSWORD_CHANGED');
}

/** Somebody wants a mail that has an account: its owner is told, and may have forgotten that they have one. */
async function tellOwner(ctx: Context, em: EntityManager, user: User, email: string): Promise<void> {
  if (user.state === 'INVITED') return sendActivation(ctx, em, user);
  if (user.state !== 'ACTIVE') return;
  const token = await giveProof(em, user.id, 'RESET');
  post(em, email, alreadyRegistered(user.displayName, await linkTo(ctx, 'STAFF', 'reset-password', token)));
}

/**
 * Proves the mail of who registered, or the new one of who changes theirs. Their sessions end but the one that asks: the
 * new mail is theirs who reads it, and a session may be another's.
 * Refuses INVALID for a link that does not work.
 */
export async function proveEmail(ctx: Context, token: string): Promise<SignedIn> {
  await countAtDoor(ctx, 'proveEmail');
  const { userId, ended } = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const proof = await useProof(em, token, ['VERIFY', 'CHANGE']);
    const user = await lockOrRefuse(em, User, proof.userId, 'person');
    if (proof.purpose === 'CHANGE') await takeNewEmail(ctx, em, user, proof);
    else {
      user.state = advancePerson(user.state, 'ACTIVE');
      user.isEmailVerified = true;
      emit(em, 'identity.user.activated', { userId: user.id });
    }
    const { caller, sessionId = null } = ctx.envelope;
    const keptId = caller.kind === 'USER' && caller.id === user.id ? sessionId : null;
    if (keptId) tellGateways(em, 'grants', `session:${keptId}`); // they hold which mail is proved
    return { userId: user.id, ended: await stopSessions(em, user.id, 'EMAIL_CHANGED', keptId) };
  });
  await tellEnds(ctx, ended);
  await copyStaffEverywhere(ctx, userId);
  return { session: null, tenants: [] };
}

/** The former address hears of it, with the link that locks the account. */
async function takeNewEmail(ctx: Context, em: EntityManager, user: User, { newEmail }: MailProof): Promise<void> {
  const former = user.email;
  const isTaken = (await em.count(User, { realm: user.realm, email: newEmail })) > 0;
  if (user.state !== 'ACTIVE' || former === null || isTaken) throw deadLink();
  Object.assign(user, { email: newEmail, isEmailVerified: true });
  await warn(ctx, em, 'EMAIL', user.id, former);
}
