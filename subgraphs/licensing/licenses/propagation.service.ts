import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { waitForGateways } from '../../_kernel/propagation.ts';
import type { Propagation } from '../gateways/gateway-feed.entity.ts';
import type { Changed } from './license-change.service.ts';

/**
 * Runs a use case that changes a licence, and after its commit waits until every living gateway holds the change, so
 * that the next request at any of them sees it (R8). `tenantId` is whose licence it is.
 */
export async function propagated(
  ctx: Context,
  tenantId: string,
  run: (ctx: Context) => Promise<Changed>,
): Promise<Changed & { propagation: Propagation }> {
  const changed = await run(ctx);
  const propagation = await waitForGateways(ctx, 'licenses', tenantId);
  if (changed.change) await keep(ctx, propagation);
  return { ...changed, propagation };
}

/** Writes down how it went. The change stands, whatever becomes of this. */
async function keep(ctx: Context, { nodes, acknowledged, waitedMs }: Propagation): Promise<void> {
  await ctx
    .inTenant(PLATFORM_TENANT)
    .tx((em) =>
      em.execute('insert into licensing.propagation (nodes, acknowledged, waited_ms) values (?, ?, ?)', [
        ...[nodes, acknowledged, waitedMs],
      ]),
    )
    .catch((error: Error) => ctx.log.warn({ error: error.message }, 'how a change spread could not be written down'));
}
