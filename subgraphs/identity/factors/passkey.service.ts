import {
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { uuidv7 } from 'uuidv7';
import { badInput, Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { isPlain, text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { warn } from '../accounts/mails.service.ts';
import { noteProof } from '../refresh.service.ts';
import type { Transport } from '../session.rules.ts';
import { selfOf } from '../session.service.ts';
import { realmOf } from '../sign-in.service.ts';
import { presentOf, readGlobally } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import type { Challenge, SignInChallenge } from './challenge.entity.ts';
import { CHALLENGE_MS, startAgain, wrongAnswer } from './challenge.rules.ts';
import { claimTry, makeChallenge, openChallenge, originOf, useUp } from './challenge.service.ts';
import { changeFactors } from './change-factors.service.ts';
import { Passkey } from './passkey.entity.ts';
import { checkRoom, hostOf, readAnswer } from './passkey.rules.ts';
import { dropCodesWithLastFactor } from './totp.service.ts';

/** One's own passkeys, the oldest first. */
export const passkeysOf = (ctx: Context, userId: string): Promise<Passkey[]> =>
  readGlobally(ctx, (em) => em.find(Passkey, { userId }, { orderBy: { id: 'asc' } }));

export interface PasskeySignIn {
  /** Slug of the ISP whose subscriber signs in; staff has none. */
  realm?: string | null;
  tenant?: string | null;
  transport: Transport;
}

/** Begins a sign-in with a passkey alone: whoever holds one says by it who they are. Refuses INVALID_STATE where there are none. */
export async function startPasskeySignIn(ctx: Context, asked: PasskeySignIn): Promise<SignInChallenge> {
  const { realm: slug, tenant = null, transport } = asked;
  for (const typed of [slug, tenant])
    if (typed && !isPlain(typed)) throw badInput('A text holds what no text can hold.');
  const realm = await realmOf(ctx, slug ?? null);
  hostHere(ctx);
  return ctx.inTenant(PLATFORM_TENANT).tx((em) =>
    openChallenge(ctx, em, {
      purpose: 'SIGN_IN',
      userId: null,
      methods: [],
      answers: ['KEY'],
      realm,
      tenant,
      transport,
    }),
  );
}

/** Begins with a new passkey. Refuses LIMIT_REACHED for the eleventh, INVALID_STATE at a portal without a name. */
export function startPasskey(ctx: Context): Promise<SignInChallenge> {
  const { userId, sessionId } = selfOf(ctx);
  const host = hostHere(ctx);
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId });
    const own = await em.find(Passkey, { userId });
    checkRoom(own.length);
    const asked = { userId, sessionId, methods: [], answers: [] };
    const { challenge, token } = await makeChallenge(ctx, em, { purpose: 'REGISTER', ...asked });
    const passkeyOptions = JSON.stringify(await registrationOf(challenge, host, user, own));
    return { token, methods: ['KEY'], expiresAt: challenge.expiresAt, passkeyOptions };
  });
}

function hostHere(ctx: Context): string {
  const host = hostOf(originOf(ctx));
  if (host === null) throw new Refusal('INVALID_STATE', 'Passkeys need a portal with a name.');
  return host;
}

const registrationOf = ({ nonce }: Challenge, host: string, user: User, own: readonly Passkey[]) =>
  generateRegistrationOptions({
    rpName: host,
    rpID: host,
    userName: user.email ?? user.id,
    userDisplayName: user.displayName,
    userID: new Uint8Array(Buffer.from(user.id)),
    challenge: new Uint8Array(Buffer.from(nonce, 'base64url')),
    timeout: CHALLENGE_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
  });

export interface NewPasskey {
  token: string;
  passkey: string;
  name: string;
}

/**
 * Keeps a new passkey. The session that asks has then proved its second factor; all others end.
 * Refuses INVALID for an answer that is not right or a challenge that is over, LIMIT_REACHED for the eleventh, CONFLICT for
 * one that is known.
 */
export async function addPasskey(ctx: Context, asked: NewPasskey): Promise<Passkey> {
  const { userId, sessionId } = selfOf(ctx);
  const name = text(asked.name, 60, 'name', { name: 'A name' });
  const challenge = await claimTry(ctx, asked.token, ['REGISTER']);
  if (challenge.sessionId !== sessionId) throw startAgain();
  const host = String(hostOf(challenge.origin));
  const credential = await credentialOf(challenge, host, asked.passkey);
  return changeFactors(ctx, async (em, session) => {
    await useUp(em, challenge);
    checkRoom(await em.count(Passkey, { userId }));
    if (await em.count(Passkey, { credentialId: credential.credentialId }))
      throw new Refusal('CONFLICT', 'This passkey is known already.', 'passkey');
    const { now } = await presentOf(em);
    const passkey = em.create(Passkey, {
      id: uuidv7(),
      userId,
      name,
      host,
      madeAt: now,
      lastUsedAt: now,
      ...credential,
    });
    em.persist(passkey);
    noteProof(session, 'KEY', now);
    emit(em, 'identity.passkey.added', { userId });
    await warn(ctx, em, 'PASSKEY_ADDED', userId);
    return passkey;
  });
}

async function credentialOf({ nonce, origin }: Challenge, host: string, typed: string) {
  const response = readAnswer<RegistrationResponseJSON>(typed);
  const checked = await verifyRegistrationResponse({
    response,
    expectedChallenge: nonce,
    expectedOrigin: origin,
    expectedRPID: host,
    requireUserVerification: true,
  }).catch(() => null); // it says what was wrong; nobody who answers wrongly is told
  if (!checked?.registrationInfo) throw wrongAnswer('passkey');
  const { id: credentialId, publicKey, counter, transports = [] } = checked.registrationInfo.credential;
  return {
    credentialId,
    publicKey: Buffer.from(publicKey).toString('base64url'),
    counter: BigInt(counter),
    transports,
  };
}

/** Takes one of one's own passkeys out of use. Refuses NOT_FOUND for any other. */
export function removePasskey(ctx: Context, id: string): Promise<void> {
  const { userId } = selfOf(ctx);
  return changeFactors(ctx, async (em: EntityManager) => {
    const removed = isId(id) ? await em.nativeDelete(Passkey, { id, userId }) : 0;
    if (removed === 0) throw new Refusal('NOT_FOUND', 'There is no such passkey.', 'id');
    await dropCodesWithLastFactor(em, userId);
    emit(em, 'identity.passkey.removed', { userId });
    await warn(ctx, em, 'PASSKEY_REMOVED', userId);
  });
}
