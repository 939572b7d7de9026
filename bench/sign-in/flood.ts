import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { signAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { openWith } from '../../subgraphs/_kernel/cipher.ts';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { ed25519FromSeed } from '../../subgraphs/_kernel/dev-secrets.ts';
import { createTestDatabase, testConfig, withClient } from '../../tests/setup/database.ts';
import { GatewayClient } from '../../tests/setup/gateway.ts';
import { type Deployment, inOneProcess } from '../deployments.ts';
import { type Known, type Measured, Portals } from '../portal-mix/load.ts';
import { enlarge, NORTHWIND } from '../portal-mix/world.ts';
import { median, option, percentile, type Result } from '../setup.ts';
import { crowdSignIns, makeCrowd, type SignIn, strangersSignIn } from './crowd.ts';
import { claimsOf } from './people.ts';

const PER_SECOND = 500;
/** How long it goes on; `--seconds=10` for less. */
const SECONDS = 60;
/** What portals ask meanwhile. */
const NORMAL_PER_SECOND = 40;
const CHECKS_PER_SECOND = 20;
/** How long is looked at what is normal, before and after. */
const CALM_SECONDS = 10;
const TIMES = 40;
const CONNECTIONS = 1_200;

const MAX_SLOWER = 2;
const MAX_CHECK_MS = 5;
const MAX_MORE_MB = 200;

const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code message } } }';

/** What may become of one sign-in. */
const OUTCOMES = ['LET_IN', 'WRONG', 'RATE_LIMITED', 'OVERLOADED', 'OTHER'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** How requests at a rate went: how long each took, milliseconds, and how many were turned away. */
type Course = Pick<Measured, 'tookMs' | 'refused'>;

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
    const crowd = await makeCrowd(database.url, 'samira@northwind.example', (PER_SECOND * seconds) / 2);
    product = await inOneProcess(config, { env: { TRUST_PROXY: 'true' } });
    return await run(product, config, crowdSignIns(config, crowd), seconds);
  } finally {
    await product?.stop();
    await database.drop();
  }
}

async function run(product: Deployment, config: Config, crowd: SignIn[], seconds: number): Promise<Result[]> {
  const { token } = await new GatewayClient(product.ports[0] as number).signIn(
    'ingrid@northwind.example',
    String(config.SEED_PASSWORD),
  );
  const known: Known = { token, tickets: await ticketsOf(String(config.DATABASE_URL)) };
  const newToken = await signerOf(config, token);
  const portals = new Portals(product.origin, known, 200);
  const pool = new Pool(product.origin, { connections: CONNECTIONS });
  const look = async (forSeconds: number) => {
    const [normal, checked] = await Promise.all([
      portals.openLoop(NORMAL_PER_SECOND, forSeconds),
      atRate(CHECKS_PER_SECOND, forSeconds, () => check(pool, newToken())),
    ]);
    return { normal, checked };
  };
  try {
    await look(3);
    const before = await look(CALM_SECONDS);
    const memory = watchMemory(product);
    const outcomes = new Map<Outcome, number[]>(OUTCOMES.map((outcome) => [outcome, []]));
    const others: string[] = [];
    const [during] = await Promise.all([
      look(seconds),
      atRate(PER_SECOND, seconds, async (i) => {
        const isMember = i % 2 === 0;
        const asked = isMember ? (crowd[i / 2] as SignIn) : strangersSignIn(i);
        const beganAt = performance.now();
        const { outcome, text } = await signIn(pool, asked);
        const isRight = outcome !== (isMember ? 'WRONG' : 'LET_IN');
        if (!isRight || outcome === 'OTHER') others.push(`${asked.email}: ${text.slice(0, 300)}`);
        outcomes.get(isRight ? outcome : 'OTHER')?.push(performance.now() - beganAt);
        return true;
      }),
    ]);
    const moreMb = await memory.stop();
    const after = await look(CALM_SECONDS);
    for (const text of new Set(others.slice(0, 5))) console.log(`  UNEXPECTED ${text}`);
    return judge({ before, during, after, outcomes, moreMb, seconds });
  } finally {
    await portals.close();
    await pool.close();
  }
}

/** Does something so many times a second, whatever becomes of it; false says that it was turned away. */
async function atRate(perSecond: number, seconds: number, run: (i: number) => Promise<boolean>): Promise<Course> {
  const course: Course = { tookMs: [], refused: 0 };
  const startedAt = performance.now();
  const open: Promise<void>[] = [];
  for (let i = 0; i < perSecond * seconds; i++) {
    const dueAt = startedAt + (i * 1_000) / perSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    open.push(
      run(i).then((isAnswered) => {
        if (isAnswered) course.tookMs.push(performance.now() - dueAt);
        else course.refused += 1;
      }),
    );
  }
  await Promise.all(open);
  return course;
}

async function post(pool: Pool, body: object, headers: Record<string, string>): Promise<string> {
  const answer = await pool.request({
    ...{ method: 'POST', path: '/graphql', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  });
  return answer.body.text();
}

async function signIn(pool: Pool, { address, ...who }: SignIn): Promise<{ outcome: Outcome; text: string }> {
  const text = await post(
    pool,
    { query: SIGN_IN, variables: { input: { ...who, transport: 'BODY' } } },
    { 'x-forwarded-for': address },
  ).catch((error: Error) => error.message);
  return { outcome: outcomeOf(text), text };
}

function outcomeOf(text: string): Outcome {
  if (text.includes('"accessToken":"')) return 'LET_IN';
  if (text.includes('E-mail or password is not right.')) return 'WRONG';
  return (['RATE_LIMITED', 'OVERLOADED'] as const).find((code) => text.includes(`"code":"${code}"`)) ?? 'OTHER';
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
  outcomes: Map<Outcome, number[]>;
  moreMb: number;
  seconds: number;
}): Result[] {
  const { before, during, after, outcomes, moreMb, seconds } = seen;
  const p99 = ({ tookMs }: Course) => percentile(tookMs, 0.99);
  const told = ({ tookMs, refused }: Course) =>
    `p50 ${median(tookMs).toFixed(1)}, p99 ${percentile(tookMs, 0.99).toFixed(1)} ms, ${refused} turned away`;
  const slower = (look: Look) => p99(look.normal) / p99(before.normal);
  const count = (outcome: Outcome) => outcomes.get(outcome)?.length ?? 0;
  const late = OUTCOMES.map(
    (outcome) => `${count(outcome)} ${outcome} (p99 ${percentile(outcomes.get(outcome) ?? [], 0.99).toFixed(0)} ms)`,
  );
  const course = (what: string, look: Look): Result => ({
    what,
    figure: `${slower(look).toFixed(2)} × (${told(look.normal)}; before ${told(before.normal)})`,
    bound: `≤ ${MAX_SLOWER} ×, nobody turned away`,
    holds: slower(look) <= MAX_SLOWER && look.normal.refused === 0,
  });
  return [
    course(`p99 of portals beside ${PER_SECOND} sign-ins a second for ${seconds} s, against before`, during),
    {
      what: 'a request with a new token meanwhile, p99',
      figure: `${told(during.checked)} (before ${told(before.checked)})`,
      bound: `≤ ${MAX_CHECK_MS} ms`,
      holds: p99(during.checked) <= MAX_CHECK_MS && during.checked.refused === 0,
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
