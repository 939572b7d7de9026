import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './context.ts';
import { type EntityManager, PLATFORM_TENANT } from './db.ts';
import type { FeedName } from './events.ts';

/** How long a change waits for the gateways at most, milliseconds. */
const PATIENCE_MS = 750;
/** How often it looks, milliseconds. */
const POLL_MS = 15;
/** A gateway that has not confirmed for this long is not waited for, seconds: it reads again before it serves. */
const ALIVE_S = 3;

/** How far a change had spread when its caller was answered. */
export interface Spread {
  /** Nodes heard of in the last seconds. */
  nodes: number;
  acknowledged: number;
  waitedMs: number;
}

/** Notes that a node holds every change of a feed up to a place in it. */
export async function confirmFeed(ctx: Context, feed: FeedName, nodeId: string, seq: number): Promise<void> {
  const home = ctx.inTenant(PLATFORM_TENANT);
  await home.tx((em) => em.execute('select kernel.confirm_feed(?, ?, ?)', [feed, nodeId, seq]));
}

/**
 * Waits until every living gateway holds what a feed has told so far, or has told of one subject, so that a request which
 * begins afterwards meets it at any of them. Asked after the commit of what shall hold; when its patience ends it answers
 * how far it got.
 */
export async function waitForGateways(ctx: Context, feed: FeedName, subject?: string): Promise<Spread> {
  const began = performance.now();
  const goal = await ctx.acrossTenants((em) => endOf(em, feed, subject));
  while (true) {
    const held = await ctx.acrossTenants((em) => look(em, feed, goal));
    const waitedMs = Math.round(performance.now() - began);
    if (held.acknowledged >= held.nodes || waitedMs >= PATIENCE_MS) return { ...held, waitedMs };
    await sleep(POLL_MS);
  }
}

/** Where a feed ends now, or told of a subject last. */
async function endOf(em: EntityManager, feed: FeedName, subject: string | undefined): Promise<number> {
  const [row] =
    subject === undefined
      ? await em.execute('select seq from kernel.feed_head where name = ?', [feed])
      : await em.execute('select max(seq) as seq from kernel.feed where name = ? and subject = ?', [feed, subject]);
  return Number(row?.seq ?? 0);
}

async function look(em: EntityManager, feed: FeedName, goal: number): Promise<Omit<Spread, 'waitedMs'>> {
  const [row] = await em.execute(
    `select count(*)::int as nodes, (count(*) filter (where held_seq >= ?))::int as acknowledged
       from kernel.gateway_node where feed = ? and confirmed_at > clock_timestamp() - make_interval(secs => ?)`,
    [goal, feed, ALIVE_S],
  );
  return { nodes: Number(row?.nodes), acknowledged: Number(row?.acknowledged) };
}
