import type { Context } from '../../_kernel/context.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { claimTry, useUp } from './challenge.service.ts';
import { type FactorAnswer, withFactor } from './factor-proof.service.ts';
import { afterFirstProof, type SignedIn } from './first-proof.service.ts';

/**
 * Ends a sign-in that waits for a second factor, or begins one with a passkey alone.
 * Refuses INVALID "This code is not right." for a wrong answer and "Please start again." for a challenge that is over;
 * otherwise as `afterFirstProof`.
 */
export async function answerChallenge(ctx: Context, token: string, answer: FactorAnswer): Promise<SignedIn> {
  const challenge = await claimTry(ctx, token, ['SIGN_IN']);
  return withFactor(ctx, challenge, answer, async ({ userId, method, claim }) => {
    const user = await readBriefly(ctx, (em) => em.findOneOrFail(User, { id: userId }));
    const { methods, tenant, transport } = challenge;
    return afterFirstProof(ctx, {
      user,
      methods: [...methods, method],
      tenant,
      transport: transport ?? 'COOKIE',
      settle: async (em) => {
        await useUp(em, challenge);
        await claim(em);
      },
    });
  });
}
