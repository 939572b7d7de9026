import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import type { ProofMethod } from '../session.rules.ts';
import { record } from '../sign-in-record.service.ts';

const SENTENCES = {
  ADDRESS: 'This tenant lets its people in from its own networks only.',
  METHOD: 'This tenant asks its people to sign in another way.',
  SSO: 'Your organisation has its people sign in with its own provider.',
} as const;

/** Writes down that a tenant's policy let somebody not in, settles the proof because it was right, and says why. */
export async function refusedByPolicy(
  ctx: Context,
  why: keyof typeof SENTENCES,
  userId: string,
  settle: (em: EntityManager) => Promise<void> = async () => undefined,
  method: ProofMethod = 'PWD',
): Promise<Refusal> {
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    record(ctx, em, { outcome: 'POLICY', method, userId });
    await settle(em);
  });
  return new Refusal('INVALID_STATE', SENTENCES[why], 'tenant');
}
