import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { License } from './license.entity.ts';
import { type Held, nodeAt, readHeld } from './license-facts.service.ts';
import { heldThen } from './license-past.service.ts';

/**
 * The licence of the caller's tenant as it was at an instant, or as it will be with what is scheduled if nobody changes
 * it; null before its version 1. A licence that will be keeps its present version: those to come are not made yet.
 */
export async function licenseAt(ctx: Context, at: Date): Promise<License | null> {
  const em = await ctx.em();
  const held = at <= ctx.now() ? await heldThen(ctx, em, at) : await heldToCome(ctx, em);
  return held && nodeAt({ ...held, tenantId: ctx.tenantId, now: at });
}

/** What the licence will rest on at any later instant: what it rests on now. The rows are nobody else's. */
async function heldToCome(ctx: Context, em: EntityManager): Promise<Held | null> {
  const own = { orderBy: { version: 'desc' }, disableIdentityMap: true } as const;
  const license = await em.findOne(License, { isWithdrawn: false }, own);
  const [held] = license ? await readHeld(em, [license], ctx.machinery.config) : [];
  return held ?? null;
}
