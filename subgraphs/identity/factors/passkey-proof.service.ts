import { type AuthenticationResponseJSON, verifyAuthenticationResponse } from '@simplewebauthn/server';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import type { Challenge } from './challenge.entity.ts';
import { wrongAnswer } from './challenge.rules.ts';
import type { FactorProof } from './factor-proof.service.ts';
import { Passkey } from './passkey.entity.ts';
import { hostOf, readAnswer } from './passkey.rules.ts';

/**
 * Checks what a passkey signed: this challenge, at the portal it was made for, after its owner proved themselves to the
 * device. Refuses INVALID for anything else.
 */
export async function provePasskey(ctx: Context, challenge: Challenge, typed: string): Promise<FactorProof> {
  const answer = readAnswer<AuthenticationResponseJSON>(typed);
  const passkey = await readBriefly(ctx, (em) => passkeyFor(em, challenge, answer.id));
  if (!passkey) throw wrongAnswer('passkey');
  const counter = await counterOf(challenge, passkey, answer);
  return { userId: passkey.userId, method: 'KEY', claim: (em) => moveOn(em, passkey.id, counter) };
}

/** The passkey that answers, if it may: its owner's challenge, or one for anybody of its realm. */
async function passkeyFor(em: EntityManager, challenge: Challenge, credentialId: string): Promise<Passkey | null> {
  const host = hostOf(challenge.origin);
  const passkey = host === null ? null : await em.findOne(Passkey, { credentialId, host });
  if (challenge.userId !== null || !passkey) return passkey?.userId === challenge.userId ? passkey : null;
  const owner = await em.findOneOrFail(User, { id: passkey.userId });
  return owner.realm === challenge.realm ? passkey : null;
}

async function counterOf(
  { nonce, origin }: Challenge,
  { credentialId, publicKey, counter, host }: Passkey,
  response: AuthenticationResponseJSON,
): Promise<bigint> {
  const checked = await verifyAuthenticationResponse({
    response,
    expectedChallenge: nonce,
    expectedOrigin: origin,
    expectedRPID: host,
    requireUserVerification: true,
    credential: { id: credentialId, publicKey: Buffer.from(publicKey, 'base64url'), counter: Number(counter) },
  }).catch(() => null); // it says what was wrong; nobody who answers wrongly is told
  if (!checked?.verified) throw wrongAnswer('passkey');
  return BigInt(checked.authenticationInfo.newCounter);
}

/** A counter that has not moved on is a copy's, or an answer heard twice; authenticators that do not count say zero. */
async function moveOn(em: EntityManager, id: string, counter: bigint): Promise<void> {
  const moved = await em.execute(
    `update identity.passkey set counter = ?, last_used_at = clock_timestamp()
     where id = ? and (counter < ? or (counter = 0 and ? = 0)) returning id`,
    [counter, id, counter, counter],
  );
  if (moved.length === 0) throw wrongAnswer('passkey');
}
