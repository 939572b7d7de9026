import { Pool } from 'undici';

/** What clients in a process of their own are told to do. */
export interface Order {
  url: string;
  /** By name: the tokens of its people, and its share of what is asked. */
  tenants: Record<string, { tokens: readonly string[]; share: number }>;
  /** What portals ask: how often, and what an answer to it holds. */
  mix: readonly { query: string; weight: number; holds: string }[];
  /** So many clients, each asking again when it is answered; or so many requests a second, answered or not. */
  clients?: number;
  perSecond?: number;
  forMs: number;
}

/** What became of the requests of a tenant that were sent in one slice of time. */
export interface Slice {
  /** Right answers in time, and how long each took, milliseconds. */
  tookMs: number[];
  /** Turned away with HTTP 503. */
  refused: number;
  /** How long that took. */
  refusedMs: number[];
  /** Late, wrong, in part, or not answered at all. */
  failed: number;
}

/** How long somebody looks at a screen that does not come, milliseconds. */
const PATIENCE_MS = 2_000;
/** Results are counted in slices of time this long, milliseconds. */
export const SLICE_MS = 250;

/** Connections of all clients together. */
const CONNECTIONS = 2_000;

/** One of several, each as often as its weight says. */
function drawn<T>(from: readonly T[], weightOf: (one: T) => number): T {
  let left = Math.random() * from.reduce((sum, one) => sum + weightOf(one), 0);
  for (const one of from) {
    left -= weightOf(one);
    if (left < 0) return one;
  }
  return from[0] as T;
}

async function run({ url, tenants, mix, clients, perSecond, forMs }: Order): Promise<Record<string, Slice[]>> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS, keepAliveTimeout: 60_000 });
  const startedAt = performance.now();
  const slices: Record<string, Slice[]> = {};
  for (const name of Object.keys(tenants))
    slices[name] = Array.from({ length: Math.ceil(forMs / SLICE_MS) }, () => ({
      tookMs: [],
      refused: 0,
      refusedMs: [],
      failed: 0,
    }));
  const bodies = new Map(mix.map(({ query }) => [query, JSON.stringify({ query })]));

  async function ask(): Promise<void> {
    const { query, holds } = drawn(mix, ({ weight }) => weight);
    const [name, { tokens }] = drawn(Object.entries(tenants), ([, { share }]) => share);
    const token = tokens[Math.floor(Math.random() * tokens.length)];
    const sentAt = performance.now();
    const slice = slices[name]?.[
      Math.min(slices[name].length - 1, Math.floor((sentAt - startedAt) / SLICE_MS))
    ] as Slice;
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: bodies.get(query) as string,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await body.text();
      const tookMs = performance.now() - sentAt;
      if (statusCode === 503) {
        slice.refused++;
        slice.refusedMs.push(tookMs);
      } else if (statusCode === 200 && text.includes(holds) && !text.includes('"errors"')) slice.tookMs.push(tookMs);
      else slice.failed++;
    } catch {
      slice.failed++;
    }
  }

  const asked = new Set<Promise<void>>();
  if (clients !== undefined) {
    for (let i = 0; i < clients; i++)
      asked.add(
        (async () => {
          while (performance.now() - startedAt < forMs) await ask();
        })(),
      );
  } else {
    let nextAt = 0;
    while (performance.now() - startedAt < forMs) {
      while (nextAt <= performance.now() - startedAt) {
        nextAt += (-Math.log(1 - Math.random()) * 1_000) / (perSecond ?? 1);
        const one = ask().finally(() => asked.delete(one));
        asked.add(one);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await Promise.all(asked);
  await pool.destroy();
  return slices;
}

if (process.send) {
  process.on('message', async (order: Order) => process.send?.(await run(order)));
  process.on('disconnect', () => process.exit());
}
