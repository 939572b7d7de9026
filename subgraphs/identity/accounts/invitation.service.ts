import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Credential } from '../credential.entity.ts';
import { hashPassword } from '../credential.service.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { afterFirstProof, type SignedIn } from '../factors/first-proof.service.ts';
import { Membership } from '../membership.entity.ts';
import { advance } from '../membership.rules.ts';
import { tell } from '../membership.steps.ts';
import { refuseWhilePortalIsClosed } from '../portal/self-service.service.ts';
import type { Transport } from '../session.rules.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { checkDisplayName, normalEmail, type Realm } from '../user.rules.ts';
import { advancePerson } from './account.rules.ts';
import { bearerOf, giveProof, useProof } from './mail-proof.service.ts';
import { activation } from './mails.rules.ts';
import { linkTo, post } from './mails.service.ts';
import { checkPassword } from './password.rules.ts';
import { bearerFor } from './password.service.ts';
import { countAtDoor } from './throttle.service.ts';

export interface Invited {
  /** STAFF, or the tenant whose subscriber it is. */
  realm: Realm;
  email: string;
  displayName: string;
  locale?: string;
}

/**
 * The person with a mail in a realm, in the caller's transaction: a new one is INVITED, and whoever never came yet gets
 * the mail with which they set their password. Somebody who has an account already is handed over as they are, unasked.
 * Refuses INVALID for a malformed mail or name, and INVALID_STATE for a person who is suspended.
 */
export async function inviteToActivate(ctx: Context, em: EntityManager, asked: Invited): Promise<User> {
  const { realm, locale = 'en' } = asked;
  const email = normalEmail(asked.email);
  if (!email) throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
  const displayName = checkDisplayName(asked.displayName);
  const { now } = await presentOf(em);
  await em.execute(
    `insert into identity.user (id, realm, email, is_email_verified, display_name, locale, state, created_at)
     values (?, ?, ?, false, ?, ?, 'INVITED', ?) on conflict (realm, email) do nothing`,
    [uuidv7(), realm, email, displayName, locale, now],
  );
  const user = await em.findOneOrFail(User, { realm, email });
  if (user.state === 'SUSPENDED') throw new Refusal('INVALID_STATE', 'This person is suspended.', 'email');
  if (user.state === 'ACTIVE') return user;
  await sendActivation(ctx, em, user);
  return user;
}

/** Mails somebody who was invited the link with which they set their password. */
export async function sendActivation(ctx: Context, em: EntityManager, user: User): Promise<void> {
  const token = await giveProof(em, user.id, 'ACTIVATE');
  const link = await linkTo(ctx, user.realm, 'activate', token);
  if (user.email) post(em, user.email, activation(user.displayName, link));
}

export interface Activation {
  token: string;
  password: string;
  /** Where the person is called otherwise than they were written down. */
  displayName?: string | null;
  transport: Transport;
}

/**
 * Makes an invited person's account theirs: their mail is proved, they have a password, and the memberships that waited
 * for them begin; then they are signed in. Refuses INVALID for a link that does not work, a password that may not be, or a malformed name;
 * INVALID_STATE while the portal they are invited to is closed, and the link works when it opens.
 */
export async function activateAccount(
  ctx: Context,
  { token, password, displayName, transport }: Activation,
): Promise<SignedIn> {
  await countAtDoor(ctx, 'activateAccount');
  const invited = await readBriefly(ctx, (em) => bearerOf(em, token, ['ACTIVATE']));
  await refuseWhilePortalIsClosed(ctx, invited.realm, 'token');
  const name = displayName == null ? invited.displayName : checkDisplayName(displayName);
  const chosen = checkPassword(password, { ...(await bearerFor(ctx, invited)), displayName: name });
  const hash = await hashPassword(chosen);
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const { userId } = await useProof(em, token, ['ACTIVATE']);
    const user = await lockOrRefuse(em, User, userId, 'person');
    const { now } = await presentOf(em);
    user.state = advancePerson(user.state, 'ACTIVE');
    Object.assign(user, { isEmailVerified: true, displayName: name, passwordChangedAt: now });
    await em.upsert(Credential, { userId, hash });
    emit(em, 'identity.user.activated', { userId });
    return stopSessions(em, userId, 'PASSWORD_CHANGED'); // a stranger may have registered with this mail
  });
  await tellEnds(ctx, ended);
  await beginMemberships(ctx, invited.id);
  const user = await readBriefly(ctx, (em) => em.findOneOrFail(User, { id: invited.id }));
  return afterFirstProof(ctx, { user, methods: ['PWD'], transport, settle: async () => undefined });
}

/** Lets the memberships that waited for a person begin, each in its tenant. Doing it again changes nothing. */
export async function beginMemberships(ctx: Context, userId: string): Promise<void> {
  const waiting = await ctx.acrossTenants((em) => em.find(Membership, { userId, state: 'INVITED' }));
  for (const { id, homeId } of waiting)
    await ctx.inTenant(homeId).tx(async (em) => {
      const membership = await lockOrRefuse(em, Membership, id, 'membership');
      if (membership.state !== 'INVITED') return;
      membership.state = advance(membership.state, 'ACTIVE');
      membership.version += 1;
      tell(em, 'identity.membership.activated', membership);
      tellGateways(em, 'grants', `membership:${id}`);
    });
}
