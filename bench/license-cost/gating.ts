import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bodyText, type ClientRequest, type Graph } from '../../gateway/graph.ts';
import { entitlementsAt } from '../../gateway/licenses.ts';
import type { Gateway } from '../../gateway/start.ts';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import type { World } from '../../tests/setup/world.ts';
import { median, percentile, type Result } from '../setup.ts';
import { startWithoutFeatures } from './without-features.ts';

const LOOK_UPS = 100_000;
/** Look-ups between two turns of the event loop, in which the copies are confirmed. */
const IN_ONE_TURN = 500;
const LOOK_UP_MS = 0.05;

/** A page on which every field is gated. */
const PAGE = 25;
const QUERY = `{ leads(first: ${PAGE}) { nodes { id number name status score grade } pageInfo { hasNextPage endCursor } } }`;
const WARM_UP = 300;
const REQUESTS = 1_500;
const [MAX_SHARE, MAX_MS] = [0.05, 0.3];

/** What a request pays to know its licence: the copy the gateway holds, and what it opens now. */
export async function lookUps({ graph }: Gateway): Promise<Result[]> {
  const tenants = Object.values(SEED_TENANTS).map(seedId);
  const { licenses } = graph.parts;
  let known = 0;
  for (const id of tenants) known += (await licenses.get(id)) ? 1 : 0;
  const took: number[] = [];
  let found = 0;
  for (let i = 0; i < LOOK_UPS; i++) {
    const id = tenants[i % tenants.length] as string;
    const askedAt = performance.now();
    const license = await licenses.get(id);
    const { core } = entitlementsAt(license, new Date());
    took.push(performance.now() - askedAt);
    if (license && core) found += 1;
    if (i % IN_ONE_TURN === 0) await nextTurn();
  }
  if (found !== (LOOK_UPS / tenants.length) * known) throw new Error(`${found} licences were found.`);
  const p99 = percentile(took, 0.99);
  return [
    {
      what: `licence look-up in the gateway, ${LOOK_UPS.toLocaleString('en')} times, p99`,
      figure: `${(p99 * 1_000).toFixed(1)} µs (median ${(median(took) * 1_000).toFixed(1)} µs)`,
      bound: `≤ ${LOOK_UP_MS * 1_000} µs`,
      holds: p99 <= LOOK_UP_MS,
    },
  ];
}

/**
 * The same page from the product and from one that licenses nothing, in turns, each answer the same.
 * @param unlicensed token of somebody whose licence does not open it: the product refuses them, the other one does not.
 */
export async function gating(world: World, gateway: Gateway, token: string, unlicensed: string): Promise<Result[]> {
  const without = await startWithoutFeatures(world);
  try {
    const graphs = [gateway.graph, without.graph];
    const took: [number[], number[]] = [[], []];
    const told = await Promise.all(
      graphs.map(async (graph) => (await graph.execute(await requestOf(graph, unlicensed))).errors?.[0]),
    );
    if (told[0]?.extensions?.code !== 'FEATURE_NOT_LICENSED' || told[1])
      throw new Error(`Without a licence the two answer ${JSON.stringify(told)}.`);
    const asked = await Promise.all(graphs.map((graph) => requestOf(graph, token)));
    let answer: string | undefined;
    for (let i = 0; i < WARM_UP + REQUESTS; i++)
      for (const side of i % 2 === 0 ? [0, 1] : [1, 0]) {
        const askedAt = performance.now();
        const text = bodyText(await (graphs[side] as Graph).execute(asked[side] as ClientRequest));
        if (i >= WARM_UP) took[side]?.push(performance.now() - askedAt);
        answer ??= text;
        if (text !== answer || text.split('"number"').length !== PAGE + 1) throw new Error(`${text} is not ${answer}`);
      }
    const [gated, ungated] = took.map(median) as [number, number];
    const more = gated - ungated;
    return [
      {
        what: `cost of gating a page of ${PAGE} leads, median of ${REQUESTS.toLocaleString('en')} in turns with the same build without`,
        figure: `${((more / ungated) * 100).toFixed(1)} %, ${more.toFixed(3)} ms (${gated.toFixed(2)} and ${ungated.toFixed(2)} ms)`,
        bound: `≤ ${MAX_SHARE * 100} % and ≤ ${MAX_MS} ms`,
        holds: more <= ungated * MAX_SHARE && more <= MAX_MS,
      },
    ];
  } finally {
    await without.stop();
  }
}

const requestOf = async ({ parts }: Graph, token: string): Promise<ClientRequest> => ({
  query: QUERY,
  caller: await parts.auth.authenticate(`Bearer ${token}`, '127.0.0.1'),
  requestId: randomUUID(),
  address: '127.0.0.1',
});
