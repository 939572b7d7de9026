import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { finishSwitch } from '../switch.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { startAgain } from './challenge.rules.ts';
import { claimTry, useUp } from './challenge.service.ts';
import { type FactorAnswer, withFactor } from './factor-proof.service.ts';
import { afterFirstProof, type SignedIn } from './first-proof.service.ts';

/**
 * Ends a sign-in or a switch that waits for a second factor, or signs in with a passkey alone.
 * Refuses INVALID "This code is not right." for a wrong answer and "Please start again." for a challenge that is over;
 * otherwise as `afterFirstProof`.
 */
export async function answerChallenge(ctx: Context, token: string, answer: FactorAnswer): Promise<SignedIn> {
  const challenge = await claimTry(ctx, token, ['SIGN_IN', 'SWITCH']);
  const { sessionId, membershipId } = challenge;
  if (sessionId !== null && sessionId !== ctx.envelope.sessionId) throw startAgain();
  return withFactor(ctx, challenge, answer, async ({ userId, method, claim }) => {
    const settle = async (em: EntityManager) => {
      await useUp(em, challenge);
      await claim(em);
    };
    if (sessionId !== null) return finishSwitch(ctx, membershipId, { method, settle });
    const user = await readBriefly(ctx, (em) => em.findOneOrFail(User, { id: userId }));
    const { methods, tenant, transport, connectionId } = challenge;
    return afterFirstProof(ctx, {
      user,
      methods: [...methods, method],
      tenant,
      connectionId,
      transport: transport ?? 'COOKIE',
      settle,
    });
  });
}
