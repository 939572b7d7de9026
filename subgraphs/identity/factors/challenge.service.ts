import { randomBytes } from 'node:crypto';
import { generateAuthenticationOptions } from '@simplewebauthn/server';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { lanes } from '../lanes.ts';
import { presentOf } from '../tenant.service.ts';
import { Challenge, type SignInChallenge } from './challenge.entity.ts';
import { CHALLENGE_MS, drawToken, hashOfToken, MAX_TRIES, startAgain } from './challenge.rules.ts';
import { Passkey } from './passkey.entity.ts';
import { hostOf } from './passkey.rules.ts';

type Asked = Pick<Challenge, 'purpose' | 'userId' | 'methods' | 'answers'> &
  Partial<Pick<Challenge, 'sessionId' | 'homeId' | 'membershipId' | 'realm' | 'tenant' | 'transport' | 'connectionId'>>;

/** The portal a request comes from, as the gateway vouches for it; ours when a client names none. */
export const originOf = ({ envelope, machinery }: Context): string =>
  envelope.origin ?? new URL(machinery.config.PUBLIC_URL).origin;

/** Writes down what is still to be proved, and hands over the token to prove it with. */
export async function openChallenge(ctx: Context, em: EntityManager, asked: Asked): Promise<SignInChallenge> {
  const { challenge, token } = await makeChallenge(ctx, em, asked);
  const { answers: methods, expiresAt } = challenge;
  const passkeyOptions = methods.includes('KEY') ? await passkeyOptionsOf(em, challenge) : null;
  return { token, methods, expiresAt, passkeyOptions };
}

/** The row alone, for whoever asks for something else than a proof. */
export async function makeChallenge(
  ctx: Context,
  em: EntityManager,
  asked: Asked,
): Promise<{ challenge: Challenge; token: string }> {
  const { now } = await presentOf(em);
  await em.nativeDelete(Challenge, { userId: asked.userId, expiresAt: { $lte: now } });
  const token = drawToken();
  const nothing = {
    ...{ sessionId: null, homeId: null, membershipId: null, connectionId: null },
    ...{ realm: null, tenant: null, transport: null },
  };
  const challenge = em.create(Challenge, {
    ...nothing,
    ...asked,
    hash: String(hashOfToken(token)),
    origin: originOf(ctx),
    nonce: randomBytes(32).toString('base64url'),
    tries: 0,
    expiresAt: new Date(now.getTime() + CHALLENGE_MS),
  });
  em.persist(challenge);
  return { challenge, token };
}

/** A portal whose host is an address and no name can have no passkeys. */
async function passkeyOptionsOf(em: EntityManager, { userId, origin, nonce }: Challenge): Promise<string | null> {
  const host = hostOf(origin);
  if (host === null) return null;
  const own = userId === null ? [] : await em.find(Passkey, { userId, host });
  const options = await generateAuthenticationOptions({
    rpID: host,
    challenge: Buffer.from(nonce, 'base64url'),
    userVerification: 'required',
    timeout: CHALLENGE_MS,
    allowCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
  });
  return JSON.stringify(options);
}

/** As attempts do, tries wait in memory for their turn. */
const inLine = lanes(4, 512, 4_000);

/**
 * Counts a try before it is checked, so that a crowd gets no more of them than a line. Refuses INVALID for a challenge that
 * is unknown, of another purpose, used, too old, or has had its five tries.
 */
export async function claimTry(ctx: Context, token: string, purposes: Challenge['purpose'][]): Promise<Challenge> {
  const hash = hashOfToken(token);
  if (hash === undefined) throw startAgain();
  const challenge = await inLine(() =>
    ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
      const [row] = await em.execute(
        `update identity.challenge set tries = tries + 1
         where hash = ? and tries < ? and expires_at > clock_timestamp() and purpose = any(?::text[]) returning *`,
        [hash, MAX_TRIES, `{${purposes.join(',')}}`],
      );
      return row ? em.map(Challenge, row) : null;
    }),
  );
  if (!challenge) throw startAgain();
  return challenge;
}

/** Uses a challenge up, in the transaction of what it was for. Refuses when somebody else just did. */
export async function useUp(em: EntityManager, { hash }: Challenge): Promise<void> {
  const used = await em.nativeDelete(Challenge, { hash });
  if (used === 0) throw startAgain();
}
