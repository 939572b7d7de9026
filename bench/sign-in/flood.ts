import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Pool } from 'undici';
import { signAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { openWith } from '../../subgraphs/_kernel/cipher.ts';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { ed25519FromSeed } from '../../subgraphs/_kernel/dev-secrets.ts';
import { createTestDatabase, testConfig, withClient } from '../../tests/setup/database.ts';
import { GatewayClient } from '../../tests/setup/gateway.ts';
import { type Deployment, inOneProcess } from '../deployments.ts';
import { type Known, Portals } from '../portal-mix/load.ts';
import { enlarge, NORTHWIND } from '../portal-mix/world.ts';
import { median, option, percentile, type Result } from '../setup.ts';
import { crowdSignIns, makeCrowd, type Outcome, type SignIn, trySignIn } from './crowd.ts';
import { claimsOf } from './people.ts';
import { atRate, type Course, post } from './rate.ts';

const PER_SECOND = 500;
/** How long it goes on; `--seconds=10` for less. */
const SECONDS = 60;
/** What portals ask meanwhile. */
const NORMAL_PER_SECOND = 40;
const CHECKS_PER_SECOND = 20;
const SIGN_INS_PER_SECOND = 2;
/** How long is looked at what is normal, before and after; what comes first of all is not counted. */
const CALM_SECONDS = 10;
const NORMAL_SIGN_INS = 2 * CALM_SECONDS * SIGN_INS_PER_SECOND;
const TIMES = 40;

const MAX_SLOWER = 2;
const MAX_CHECK_MS = 5;
const MAX_MORE_MB = 200;

/** Who signs in where, and how often. */
export interface Flood {
  origin: string;
  config: Config;
  /** Ids of the members. */
  crowd: readonly string[];
  perSecond: number;
  seconds: number;
}

/** What became of them: how long each took, milliseconds, and what was said to those whom nothing else may happen to. */
export interface Flooded {
  tookMs: Record<Outcome, number[]>;
  others: string[];
}

/**
 * Five hundred sign-ins a second, half of them by members at work's beginning and half by somebody who tries passwords,
 * beside what portals ask as usual: how much slower those are, how long the check of a new token takes, what it costs in
 * memory, and what becomes of the sign-ins themselves.
 */
export async function flood(): Promise<Result[]> {
  const seconds = option('seconds', SECONDS);
  const database = await createTestDatabase();
  const config = testConfig(database.url);
  let product: Deployment | undefined;
  try {
    await enlarge(database.url, NORTHWIND, TIMES);
    const crowd = await makeCrowd(
      database.url,
      'samira@northwind.example',
      (PER_SECOND * seconds) / 2 + NORMAL_SIGN_INS,
    );
    product = await inOneProcess(config, { env: { TRUST_PROXY: 'true' } });
    return await run(product, config, crowd, seconds);
  } finally {
    await product?.stop();
    await database.drop();
  }
}

async function run(product: Deployment, config: Config, crowd: string[], seconds: number): Promise<Result[]> {
  const { token } = await new GatewayClient(product.ports[0] as number).signIn(
    'ingrid@northwind.example',
    String(config.SEED_PASSWORD),
  );
  const known: Known = { token, tickets: await ticketsOf(String(config.DATABASE_URL)) };
  const newToken = await signerOf(config, token);
  const portals = new Portals(product.origin, known, 200);
  const pool = new Pool(product.origin, { connections: 50 });
  const look = async (forSeconds: number) => {
    const [normal, checked] = await Promise.all([
      portals.openLoop(NORMAL_PER_SECOND, forSeconds),
      atRate(CHECKS_PER_SECOND, forSeconds, () => check(pool, newToken())),
    ]);
    return { normal, checked };
  };
  const members = crowdSignIns(config, crowd).slice(-NORMAL_SIGN_INS);
  const calm = async () => {
    const [seen] = await Promise.all([
      look(CALM_SECONDS),
      atRate(SIGN_INS_PER_SECOND, CALM_SECONDS, async () => {
        const { outcome, text } = await trySignIn(pool, members.pop() as SignIn);
        if (outcome !== 'LET_IN') throw new Error(`Not let in on a calm day: ${text.slice(0, 300)}`);
        return true;
      }),
    ]);
    return seen;
  };
  const begin = await prepare({ origin: product.origin, config, crowd, perSecond: PER_SECOND, seconds });
  try {
    await calm();
    const before = await calm();
    const memory = watchMemory(product);
    const checks = await countChecks(product);
    const [during, flooded] = await Promise.all([look(seconds), begin()]);
    const moreMb = await memory.stop();
    const inTime = await checks();
    const after = await look(CALM_SECONDS);
    for (const text of new Set(flooded.others.slice(0, 5))) console.log(`  UNEXPECTED ${text}`);
    return judge({ before, during, after, flooded, inTime, moreMb, seconds });
  } finally {
    await portals.close();
    await pool.close();
  }
}

/** Gets a flood ready that begins when it is told to. */
async function prepare(flood: Flood): Promise<() => Promise<Flooded>> {
  const worker = new Worker(new URL('./crowd.worker.ts', import.meta.url), { workerData: flood });
  await once(worker, 'message'); // ready
  return async () => {
    worker.postMessage('begin');
    const [told] = await once(worker, 'message');
    return told as Flooded;
  };
}

/** Asks for nothing, with a token the gateway has not met: what it takes is to find out who asks. */
async function check(pool: Pool, token: string): Promise<boolean> {
  const text = await post(pool, { query: '{ __typename }' }, { authorization: `Bearer ${token}` });
  if (text.includes('"__typename":"Query"')) return true;
  if (text.includes('"OVERLOADED"')) return false;
  throw new Error(`A token was not let in: ${text.slice(0, 300)}`);
}

/** Signs more tokens of a session, as identity would. */
function signerOf(config: Config, token: string): Promise<() => string> {
  return withClient(String(config.DATABASE_URL), async (client) => {
    const { rows } = await client.query(`select kid, sealed from identity.token_key where state = 'ACTIVE'`);
    const [{ kid, sealed }] = rows;
    const seed = openWith(Buffer.from(config.IDENTITY_DATA_KEY, 'base64url'), kid, sealed);
    const key = ed25519FromSeed(seed.toString('base64url'));
    return () => signAccessToken({ ...claimsOf(token), jti: randomUUID() }, kid, key);
  });
}

/** Counts, until it is asked, the checks of new tokens; answers with the share of those that took no longer than they may. */
async function countChecks(product: Deployment): Promise<() => Promise<number>> {
  const name = 'dotmac_gateway_authentication_duration_seconds';
  const so = 'credential="new_token"';
  const count = async () => [
    await product.figure(`${name}_bucket`, `le="${MAX_CHECK_MS / 1_000}",${so}`),
    await product.figure(`${name}_count`, so),
  ];
  const [quickBefore = 0, allBefore = 0] = await count();
  return async () => {
    const [quick = 0, all = 0] = await count();
    return (quick - quickBefore) / (all - allBefore);
  };
}

/** How much more memory a process has at most than when it began to be watched, MB. */
function watchMemory(product: Deployment): { stop(): Promise<number> } {
  const seen: number[] = [];
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await sleep(250)) seen.push((await product.figure('process_resident_memory_bytes')) / 1e6);
  })();
  watching.catch(() => undefined); // heard when it is stopped
  return {
    async stop() {
      isOver = true;
      await watching;
      return Math.max(...seen) - (seen[0] as number);
    },
  };
}

function ticketsOf(databaseUrl: string): Promise<Known['tickets']> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query(
      `select t.id, t.number from tickets.ticket t where tenant_id = $1 and status not in ('CLOSED', 'CANCELLED')
          and exists (select from tickets.ticket_message m where m.tenant_id = t.tenant_id and m.ticket_id = t.id) limit 500`,
      [NORTHWIND],
    );
    return rows as Known['tickets'];
  });
}

interface Look {
  normal: Course;
  checked: Course;
}

function judge(seen: {
  before: Look;
  during: Look;
  after: Look;
  flooded: Flooded;
  /** The share of checks of new tokens that took no longer than they may. */
  inTime: number;
  moreMb: number;
  seconds: number;
}): Result[] {
  const { before, during, after, flooded, inTime, moreMb, seconds } = seen;
  const outcomes = Object.entries(flooded.tookMs) as [Outcome, number[]][];
  const p99 = ({ tookMs }: Course) => percentile(tookMs, 0.99);
  const told = ({ tookMs, refused }: Course) =>
    `p50 ${median(tookMs).toFixed(1)}, p99 ${percentile(tookMs, 0.99).toFixed(1)} ms, ${refused} turned away`;
  const slower = (look: Look) => p99(look.normal) / p99(before.normal);
  const count = (outcome: Outcome) => flooded.tookMs[outcome].length;
  const late = outcomes
    .filter(([, tookMs]) => tookMs.length > 0)
    .map(([outcome, tookMs]) => `${tookMs.length} ${outcome} (p99 ${percentile(tookMs, 0.99).toFixed(0)} ms)`);
  const course = (what: string, look: Look): Result => ({
    what,
    figure: `${slower(look).toFixed(2)} × (${told(look.normal)}; before ${told(before.normal)})`,
    bound: `≤ ${MAX_SLOWER} ×, nobody turned away`,
    holds: slower(look) <= MAX_SLOWER && look.normal.refused === 0,
  });
  return [
    course(`p99 of portals beside ${PER_SECOND} sign-ins a second for ${seconds} s, against before`, during),
    {
      what: `checks of new tokens meanwhile that took no more than ${MAX_CHECK_MS} ms (the requests as a whole: ${told(during.checked)}; before ${told(before.checked)})`,
      figure: `${(inTime * 100).toFixed(2)} %`,
      bound: '≥ 99 %, nobody turned away',
      holds: inTime >= 0.99 && during.checked.refused === 0,
    },
    {
      what: 'memory of the process, more than before',
      figure: `${moreMb.toFixed(0)} MB`,
      bound: `≤ ${MAX_MORE_MB} MB`,
      holds: moreMb <= MAX_MORE_MB,
    },
    {
      what: `of ${PER_SECOND * seconds} sign-ins, let in, wrong, RATE_LIMITED or OVERLOADED and nothing else`,
      figure: `${((count('LET_IN') + count('WRONG')) / seconds).toFixed(0)} hashed a second; ${late.join(', ')}`,
      bound: '0 else, some let in',
      holds: count('OTHER') === 0 && count('LET_IN') > 0,
    },
    course('p99 of portals right after, against before', after),
  ];
}
