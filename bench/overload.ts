import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { openGatewayWorld } from '../tests/setup/gateway.ts';
import { type Order, SLICE_MS, type Slice } from './overload/clients.ts';
import { median, percentile, type Result } from './setup.ts';

const ROUNDS = 3;
/** Clients that ask again when they are answered: enough to keep it busy, few enough to be answered soon. */
const CLIENTS = 12;
const CAPACITY_MS = 4_000;
const OVERLOAD_MS = 10_000;
const CALM_MS = 4_000;
/** After the overload: what is left of half the capacity, until it is as quick as before. */
const RECOVERY_MS = 10_000;
const TIMES = 3;

const MIN_GOODPUT = 0.8;
const MAX_RECOVERY_MS = 30_000;
const MIN_SUCCESS = 0.99;
const MAX_SLOWER = 3;

/** What portals ask, with how many of a hundred screens it is, and what its answer holds. */
const MIX: Order['mix'] = [
  { weight: 40, query: 'query Home { tenant { slug name license { state } } }', holds: '"state":"ACTIVE"' },
  {
    weight: 30,
    query:
      'query Customers { customers(first: 10) { nodes { number name balance { amountMinor currency } services(first: 5) { nodes { number } } } } }',
    holds: '"services":',
  },
  {
    weight: 15,
    query: 'query Services { services(first: 10) { nodes { number customer { name } } } }',
    holds: '"customer":',
  },
  { weight: 15, query: 'query Plans { servicePlans(first: 10) { nodes { code state } } }', holds: '"nodes":' },
];

/** Rates are another wall, and out of the way here. */
const NO_RATES = { RATE_PER_CALLER: '1000000', RATE_PER_TENANT: '1000000', RATE_PER_ADDRESS: '1000000' };

const sumOf = (slices: readonly Slice[]) => ({
  ok: slices.reduce((sum, { tookMs }) => sum + tookMs.length, 0),
  refused: slices.reduce((sum, { refused }) => sum + refused, 0),
  failed: slices.reduce((sum, { failed }) => sum + failed, 0),
  p95: percentile(
    slices.flatMap(({ tookMs }) => tookMs),
    0.95,
  ),
  refusalMs: median(slices.flatMap(({ refusedMs }) => refusedMs)),
});

const all = (told: Record<string, Slice[]>) => sumOf(Object.values(told).flat());

/** Since the beginning, milliseconds, from when on everything is answered about as fast as it was. */
function recovery(told: Record<string, Slice[]>, calmP95: number): number {
  const counts = Object.values(told);
  const length = counts[0]?.length ?? 0;
  let from = length;
  for (let i = length - 1; i >= 0; i--) {
    const { refused, failed, p95 } = sumOf(counts.map((slices) => slices[i] as Slice));
    if (refused + failed > 0 || p95 > 3 * calmP95) break;
    from = i;
  }
  return from * SLICE_MS;
}

/**
 * One process, every subgraph and the gateway in it, asked for three times what it can do by clients in a process of their
 * own that do not wait for one another and give up after two seconds: what is answered rightly within that time, against
 * what it answers when it is kept busy and no more; then how soon it is quick again. And one tenant that floods, among others
 * that ask as usual: what becomes of the others, against the same without the flood.
 */
export async function overload(): Promise<Result[]> {
  const { client, password, close } = await openGatewayWorld(NO_RATES);
  const people = {
    northwind: ['ingrid', 'mira', 'samira'],
    kestrel: ['wren'],
    atlas: ['bruno'],
  };
  const tokens: Record<string, string[]> = {};
  for (const [tenant, names] of Object.entries(people))
    tokens[tenant] = await Promise.all(
      names.map(async (name) => (await client.signIn(`${name}@${tenant}.example`, password)).token),
    );
  const child = fork(resolve(import.meta.dirname, 'overload/clients.ts'), {
    execArgv: ['--import', './run.mjs'],
    cwd: resolve(import.meta.dirname, '..'),
    serialization: 'advanced',
  });
  const tell = async (
    order: Pick<Order, 'clients' | 'perSecond' | 'forMs'>,
    shares: Record<string, number> = { northwind: 1, kestrel: 1, atlas: 1 },
  ): Promise<Record<string, Slice[]>> => {
    const tenants = Object.fromEntries(
      Object.entries(shares).map(([name, share]) => [name, { tokens: tokens[name] ?? [], share }]),
    );
    child.send({ url: client.url, mix: MIX, tenants, ...order } satisfies Order);
    const [told] = await once(child, 'message');
    return told;
  };

  const rounds: { goodput: number; p95: number; recoveryMs: number; success: number; slower: number }[] = [];
  try {
    await tell({ clients: CLIENTS, forMs: CAPACITY_MS });
    for (let round = 0; round < ROUNDS; round++) {
      const busy = all(await tell({ clients: CLIENTS, forMs: CAPACITY_MS }));
      if (busy.failed > 0) throw new Error(`${busy.failed} answers were wrong before anything was too much.`);
      const capacity = (busy.ok * 1_000) / CAPACITY_MS;
      const calm = all(await tell({ perSecond: capacity / 2, forMs: CALM_MS }));
      const over = all(await tell({ perSecond: capacity * TIMES, forMs: OVERLOAD_MS }));
      const after = await tell({ perSecond: capacity / 2, forMs: RECOVERY_MS });
      const quietShares = { kestrel: 1, atlas: 1 };
      const alone = all(await tell({ perSecond: capacity / 5, forMs: CALM_MS }, quietShares));
      const noisy = await tell(
        { perSecond: capacity * (TIMES + 0.2), forMs: OVERLOAD_MS },
        { northwind: TIMES, kestrel: 0.1, atlas: 0.1 },
      );
      const quiet = sumOf([...(noisy.kestrel ?? []), ...(noisy.atlas ?? [])]);
      const figures = {
        goodput: (over.ok * 1_000) / OVERLOAD_MS / capacity,
        p95: over.p95,
        recoveryMs: recovery(after, calm.p95),
        success: quiet.ok / (quiet.ok + quiet.refused + quiet.failed),
        slower: quiet.p95 / alone.p95,
      };
      rounds.push(figures);
      console.log(
        `  round ${round + 1}: ${capacity.toFixed(0)}/s; at half of it p95 ${calm.p95.toFixed(0)} ms; at ${TIMES} × ${over.ok} answered, ` +
          `${over.refused} refused in ${over.refusalMs.toFixed(0)} ms, ${over.failed} failed, p95 ${over.p95.toFixed(0)} ms; ` +
          `recovered in ${figures.recoveryMs} ms; others p95 ${alone.p95.toFixed(0)} → ${quiet.p95.toFixed(0)} ms, ` +
          `${quiet.ok} answered, ${quiet.refused} refused, ${quiet.failed} failed`,
      );
    }
  } finally {
    child.disconnect();
    await close();
  }
  const of = (figure: keyof (typeof rounds)[number]) => median(rounds.map((round) => round[figure]));
  const share = (value: number) => `${(value * 100).toFixed(1)} %`;
  return [
    {
      what: `answered in time at ${TIMES} × capacity, of capacity`,
      figure: share(of('goodput')),
      bound: `≥ ${share(MIN_GOODPUT)}`,
      holds: of('goodput') >= MIN_GOODPUT,
    },
    {
      what: 'as quick as before once the overload is over',
      figure: `${of('recoveryMs')} ms`,
      bound: `≤ ${MAX_RECOVERY_MS} ms`,
      holds: of('recoveryMs') <= MAX_RECOVERY_MS,
    },
    {
      what: 'others answered while one tenant floods',
      figure: share(of('success')),
      bound: `≥ ${share(MIN_SUCCESS)}`,
      holds: of('success') >= MIN_SUCCESS,
    },
    {
      what: 'their p95 against the same without the flood',
      figure: `${of('slower').toFixed(2)} ×`,
      bound: `≤ ${MAX_SLOWER} ×`,
      holds: of('slower') <= MAX_SLOWER,
    },
  ];
}
