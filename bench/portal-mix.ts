import { createTestDatabase, testConfig, withClient } from '../tests/setup/database.ts';
import { GatewayClient } from '../tests/setup/gateway.ts';
import { apart, type Deployment, inOneProcess } from './deployments.ts';
import { type Known, type Measured, Portals } from './portal-mix/load.ts';
import { enlarge, NORTHWIND } from './portal-mix/world.ts';
import { median, option, percentile, type Result } from './setup.ts';

/** How much larger than the example world its tenant is. */
const TIMES = 1_000;
const ROUNDS = 3;
const ROUND_MS = 8_000;
const WARM_UP_REQUESTS = 600;
const CLIENTS = 16;
const RATE = 200;
const RATE_SECONDS = 15;
const MIN_RATIO = 1.5;
const MAX_P95_MS = 200;
const MAX_REFUSED_SHARE = 0.001;
/** Requests over which the heap is watched; `-- portal-mix --requests=20000` for fewer. */
const REQUESTS = 100_000;
/** What is left on the heap after collections may differ by this much and be called the same. */
const FLAT_SHARE = 0.1;
/** Tickets the portals know. */
const KNOWN_TICKETS = 1_000;
/** An access token lives five minutes; a new one is taken in good time, milliseconds. */
const TOKEN_MS = 200_000;

/**
 * The portal mix on our own graph, over a tenant a thousand times as large as the example world's: five screens and one
 * mutation in ten, every answer checked. The product in one process and apart, in turns, on one processor; PostgreSQL
 * and the clients have the other.
 */
export async function portalMix(): Promise<Result[]> {
  const database = await createTestDatabase();
  await enlarge(database.url, NORTHWIND, TIMES);
  const config = testConfig(database.url);
  const started: Deployment[] = [];
  try {
    const one = await inOneProcess(config);
    started.push(one);
    const several = await apart(config);
    started.push(several);
    const tickets = await ticketsOf(database.url);
    const enter = async ({ origin }: Deployment): Promise<Known> => {
      const client = new GatewayClient(Number(new URL(origin).port));
      const { token } = await client.signIn('ingrid@northwind.example', String(config.SEED_PASSWORD));
      return { token, tickets };
    };
    const rounds = { one: [] as Round[], several: [] as Round[] };
    for (const deployment of started) await round(deployment, await enter(deployment), (n) => n >= WARM_UP_REQUESTS);
    for (let i = 0; i < ROUNDS; i++)
      for (const [name, deployment] of [
        ['one', one],
        ['several', several],
      ] as const) {
        const until = performance.now() + ROUND_MS;
        rounds[name].push(await round(deployment, await enter(deployment), () => performance.now() > until));
      }
    await several.stop();
    const steady = await withPortals(one, await enter(one), RATE, (portals) => portals.openLoop(RATE, RATE_SECONDS));
    const heap = await watchHeap(one, () => enter(one));
    const of = (list: Round[], figure: (round: Round) => number) => median(list.map(figure));
    const perSecond = (list: Round[]) => of(list, ({ requests, seconds }) => requests / seconds);
    const cpu = (list: Round[]) => of(list, ({ cpuMs }) => cpuMs);
    const told = (list: Round[]) =>
      `${perSecond(list).toFixed(0)} requests/s, p50 ${at(list, 0.5)}, p95 ${at(list, 0.95)}, p99 ${at(list, 0.99)} ms, ${cpu(list).toFixed(2)} ms of CPU and ${of(list, ({ statements }) => statements).toFixed(1)} statements a request, ${list.reduce((sum, { refused }) => sum + refused, 0)} refused`;
    const ratio = perSecond(rounds.one) / perSecond(rounds.several);
    const p95 = percentile(steady.tookMs, 0.95);
    return [
      { what: `in one process, ${CLIENTS} clients`, figure: told(rounds.one), bound: 'reported', holds: true },
      { what: `apart, ${CLIENTS} clients`, figure: told(rounds.several), bound: 'reported', holds: true },
      {
        what: 'requests/s in one process : apart, on one processor',
        figure: `${ratio.toFixed(2)} ×, and ${(cpu(rounds.several) / cpu(rounds.one)).toFixed(2)} × by CPU a request`,
        bound: `≥ ${MIN_RATIO} ×`,
        holds: ratio >= MIN_RATIO,
      },
      {
        what: `p95 at ${RATE} requests/s in one process (${steady.refused} refused, p50 ${percentile(steady.tookMs, 0.5).toFixed(1)}, p99 ${percentile(steady.tookMs, 0.99).toFixed(1)} ms)`,
        figure: `${p95.toFixed(1)} ms`,
        bound: `< ${MAX_P95_MS} ms`,
        holds: p95 < MAX_P95_MS && steady.refused <= steady.requests * MAX_REFUSED_SHARE,
      },
      {
        what: `heap after collections over ${heap.requests.toLocaleString('en')} requests, first and last quarter`,
        figure: `${heap.first.toFixed(0)} MB and ${heap.last.toFixed(0)} MB`,
        bound: `≤ ${FLAT_SHARE * 100} % more`,
        holds: heap.last <= heap.first * (1 + FLAT_SHARE),
      },
    ];
  } finally {
    for (const deployment of started) await deployment.stop();
    await database.drop();
  }
}

interface Round extends Measured {
  /** CPU time of all its processes a request, milliseconds. */
  cpuMs: number;
  /** Statements a request, with those that begin and end its transactions. */
  statements: number;
}

async function round(deployment: Deployment, known: Known, isOver: (requests: number) => boolean): Promise<Round> {
  const figures = () =>
    Promise.all([
      deployment.figure('process_cpu_seconds_total'),
      deployment.figure('dotmac_db_statement_duration_seconds_count'),
    ]);
  const [cpu, statements] = await figures();
  const measured = await withPortals(deployment, known, CLIENTS, (portals) => portals.closedLoop(CLIENTS, isOver));
  const [cpuAfter, statementsAfter] = await figures();
  return {
    ...measured,
    cpuMs: ((cpuAfter - cpu) * 1_000) / measured.requests,
    statements: (statementsAfter - statements) / measured.requests,
  };
}

const at = (rounds: Round[], share: number) => median(rounds.map(({ tookMs }) => percentile(tookMs, share))).toFixed(1);

async function withPortals<T>(
  { origin }: Deployment,
  known: Known,
  connections: number,
  run: (portals: Portals) => Promise<T>,
): Promise<T> {
  const portals = new Portals(origin, known, connections);
  try {
    return await run(portals);
  } finally {
    await portals.close();
  }
}

/** What is left of the heap after collections, MB: the least of what is seen in a quarter of the requests. */
async function watchHeap(
  deployment: Deployment,
  enter: () => Promise<Known>,
): Promise<{ requests: number; first: number; last: number }> {
  const requests = option('requests', REQUESTS);
  const seen: { requests: number; mb: number }[] = [];
  let done = 0;
  while (done < requests) {
    const before = done;
    const known = await enter();
    const until = performance.now() + TOKEN_MS;
    let isOver = false;
    const looking = (async () => {
      for (; !isOver; await new Promise((rest) => setTimeout(rest, 200)))
        seen.push({ requests: done, mb: (await deployment.figure('nodejs_heap_size_used_bytes')) / 1e6 });
    })();
    await withPortals(deployment, known, CLIENTS, (portals) =>
      portals.closedLoop(CLIENTS, (count) => {
        done = before + count;
        return done >= requests || performance.now() > until;
      }),
    ).finally(() => {
      isOver = true;
    });
    await looking;
  }
  const least = (from: number, to: number) =>
    Math.min(
      ...seen.filter((look) => look.requests >= from * requests && look.requests <= to * requests).map(({ mb }) => mb),
    );
  return { requests, first: least(0, 0.25), last: least(0.75, 1) };
}

async function ticketsOf(databaseUrl: string): Promise<Known['tickets']> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query(
      `select id, number from tickets.ticket where tenant_id = $1 and status not in ('CLOSED', 'CANCELLED') order by md5(id::text) limit $2`,
      [NORTHWIND, KNOWN_TICKETS],
    );
    return rows as Known['tickets'];
  });
}
