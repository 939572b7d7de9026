import { badInput, Refusal, unauthenticated } from '../../../schema/errors.ts';
import { isPlain } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { provePassword } from '../proof.service.ts';
import { refuseBound } from '../providers/bound-session.service.ts';
import { renewProof } from '../refresh.service.ts';
import type { SessionTokens } from '../session.entity.ts';
import { selfOf } from '../session.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { startAgain, stepsUpWith } from './challenge.rules.ts';
import { claimTry, openChallenge, useUp } from './challenge.service.ts';
import { withFactor } from './factor-proof.service.ts';
import type { SignedIn } from './first-proof.service.ts';
import { heldFactorsOf } from './held-factors.service.ts';

export interface StepUpRequest {
  password?: string | null;
  code?: string | null;
  passkey?: string | null;
  /** Of the challenge a passkey answers. */
  token?: string | null;
}

/**
 * Proves once more who asks, for the doors that want it fresh: with a second factor, or for whoever has none with the
 * password. Without any of them it answers a challenge, for a passkey to sign.
 * Refuses INVALID for a wrong proof and INVALID_STATE for a password where there is a second factor and in a
 * session of a tenant's own provider; throws as `provePassword` does.
 */
export async function stepUp(ctx: Context, asked: StepUpRequest): Promise<SignedIn> {
  const { password, code, passkey, token } = asked;
  const given = [password, code, passkey].filter((text) => text != null);
  if (given.length > 1) throw badInput('A proof is a password, a code or a passkey: one of them.');
  await refuseBound(ctx);
  if (given.length === 0) return ask(ctx);
  if (password != null) return justSession(await byPassword(ctx, password));
  if (code != null) return justSession(await byCode(ctx, code));
  return justSession(await byPasskey(ctx, token ?? '', passkey ?? ''));
}

const justSession = (session: SessionTokens): SignedIn => ({ session, tenants: [] });

async function ask(ctx: Context): Promise<SignedIn> {
  const { userId, sessionId } = selfOf(ctx);
  const challenge = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const answers = stepsUpWith(await heldFactorsOf(em, userId));
    return openChallenge(ctx, em, { purpose: 'STEP_UP', userId, sessionId, methods: [], answers });
  });
  return { session: null, challenge, tenants: [] };
}

async function byPassword(ctx: Context, password: string): Promise<SessionTokens> {
  if (!isPlain(password)) throw badInput('A text holds what no text can hold.');
  const { userId } = selfOf(ctx);
  const { user, held } = await readBriefly(ctx, async (em) => ({
    user: await em.findOneOrFail(User, { id: userId }),
    held: await heldFactorsOf(em, userId),
  }));
  if (!stepsUpWith(held).includes('PWD'))
    throw new Refusal('INVALID_STATE', 'Please use your second factor.', 'password');
  if (user.email === null) throw unauthenticated('REVOKED');
  const { settle } = await provePassword(ctx, { realm: user.realm, email: user.email, password });
  return renewProof(ctx, 'PWD', settle);
}

function byCode(ctx: Context, code: string): Promise<SessionTokens> {
  const { userId } = selfOf(ctx);
  return withFactor(ctx, { userId, answers: ['OTP'] }, { code }, ({ method, claim }) => renewProof(ctx, method, claim));
}

async function byPasskey(ctx: Context, token: string, passkey: string): Promise<SessionTokens> {
  const challenge = await claimTry(ctx, token, ['STEP_UP']);
  if (challenge.sessionId !== selfOf(ctx).sessionId) throw startAgain();
  return withFactor(ctx, challenge, { passkey }, ({ method, claim }) =>
    renewProof(ctx, method, async (em) => {
      await useUp(em, challenge);
      await claim(em);
    }),
  );
}
