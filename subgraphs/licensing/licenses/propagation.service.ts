import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import type { Propagation } from '../gateways/gateway-feed.entity.ts';
import type { Changed } from './license-change.service.ts';

/** How long a change waits for the gateways at most, milliseconds. */
const PATIENCE_MS = 750;
/** How often it looks, milliseconds. */
const POLL_MS = 15;
/** A gateway that has not confirmed for this long is not waited for, seconds. */
const ALIVE_S = 3;

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
  const propagation = await waitForGateways(ctx, tenantId);
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

/** Waits until every living gateway holds a change of the tenant's licence, as long as such a change waits at most. */
export async function waitForGateways(ctx: Context, tenantId: string): Promise<Propagation> {
  const began = performance.now();
  while (true) {
    const held = await look(ctx, tenantId);
    const waitedMs = Math.round(performance.now() - began);
    if (held.acknowledged >= held.nodes || waitedMs >= PATIENCE_MS) return { ...held, waitedMs };
    await sleep(POLL_MS);
  }
}

async function look(ctx: Context, tenantId: string): Promise<Omit<Propagation, 'waitedMs'>> {
  const [row] = await ctx.acrossTenants((em) =>
    em.execute(
      `select count(*)::int as nodes, (count(*) filter (where held_seq >= coalesce((
                select seq from kernel.feed where name = 'licenses' and subject = ? order by seq desc limit 1), 0)))::int as acknowledged
         from licensing.gateway_node where confirmed_at > clock_timestamp() - make_interval(secs => ?)`,
      [tenantId, ALIVE_S],
    ),
  );
  return { nodes: row?.nodes ?? 0, acknowledged: row?.acknowledged ?? 0 };
}
