import type { Context } from '../../_kernel/context.ts';
import { SecondFactor } from './second-factor.entity.ts';
import { sealSecret } from './secret.ts';

/** Gives somebody an authenticator app that counts at once. */
export function addTotp(ctx: Context, userId: string, secret: Buffer): Promise<void> {
  return ctx.tx(async (em) => {
    const sealed = sealSecret(ctx, userId, secret);
    em.persist(em.create(SecondFactor, { userId, sealed, state: 'ACTIVE', lastStep: null, madeAt: ctx.now() }));
  });
}
