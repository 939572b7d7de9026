import { hash, verify } from '@node-rs/argon2';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { PARAMETERS } from '../../subgraphs/identity/credential.rules.ts';
import { createTestDatabase, testConfig } from '../../tests/setup/database.ts';
import { GatewayClient } from '../../tests/setup/gateway.ts';
import { type Deployment, inOneProcess } from '../deployments.ts';
import { median, percentile, type Result } from '../setup.ts';
import { makeKey, type Tokens } from './people.ts';

const ROUNDS = 3;
const SIGN_INS = 15;
const EXCHANGES = 60;
const PINGS = 150;
/** A key may ask a hundred times a second. */
const KEY_PINGS = 80;
const SIGN_IN_BOUND_MS = 10;
const REFRESH_BOUND_MS = 10;
const SWITCH_BOUND_MS = 15;
/** So many that none of them has ten sessions, of which one more would end the oldest. */
const PEOPLE = ['ingrid', 'jonas', 'nils', 'samira', 'piet', 'lotte'];
const BOTH_TENANTS = [seedId(SEED_TENANTS.northwind), seedId(SEED_TENANTS.harbour)];

const SESSION = '{ session { accessToken refreshToken deviceMark tenant { slug } } userErrors { message } }';
const SIGN_IN = `mutation($input: SignInInput!) { signIn(input: $input) ${SESSION} }`;
const REFRESH = `mutation($input: RefreshInput) { refreshSession(input: $input) ${SESSION} }`;
const SWITCH = `mutation($input: SwitchTenantInput!) { switchTenant(input: $input) ${SESSION} }`;

/** One kind of what is asked: how long each took, and what CPU each cost the product, milliseconds. */
interface Kind {
  what: string;
  times: number;
  run: () => Promise<unknown>;
  tookMs: number[];
  cpuMs: number[];
}

/**
 * What it takes through the gateway to sign in, to get the next tokens, to go to another tenant, and to ask with a token or
 * a key, in time and in CPU of the product, one after the other; beside it, in the same rounds, a request that names nobody
 * and the hash of a password alone.
 */
export async function costs(): Promise<Result[]> {
  const database = await createTestDatabase();
  const config = testConfig(database.url);
  let product: Deployment | undefined;
  try {
    product = await inOneProcess(config, { env: {} });
    const asked = await kindsOf(new GatewayClient(product.ports[0] as number), config);
    const all = Object.values(asked);
    for (const { run, times } of all) for (let i = 0; i < times; i++) await run(); // as warm as after some work
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of all) await measure(product, kind);
    }
    return judge(asked);
  } finally {
    await product?.stop();
    await database.drop();
  }
}

async function kindsOf(client: GatewayClient, { SEED_PASSWORD }: Config) {
  const password = String(SEED_PASSWORD);
  const ask = async (door: string, query: string, input: object, token?: string): Promise<Tokens> => {
    const { data, errors } = await client.post<Record<string, { session: Tokens | null }>, object>(
      query,
      { input },
      token,
    );
    const session = data?.[door]?.session;
    if (!session) throw new Error(`${door}: ${JSON.stringify([data, errors])}`);
    return session;
  };
  const ping = async (token?: string) => {
    const { data } = await client.post<{ __typename: string }>('{ __typename }', {}, token);
    if (data?.__typename !== 'Query') throw new Error('A ping was not answered.');
  };
  /** Everybody has a device they always use. */
  const marks = new Map<string, string>();
  const signIn = async (email: string) => {
    const who = { email, password, deviceMark: marks.get(email) ?? null };
    const session = await ask('signIn', SIGN_IN, { ...who, transport: 'BODY', tenant: 'northwind' });
    marks.set(email, session.deviceMark);
    return session;
  };
  const { token } = await client.signIn('ingrid@northwind.example', password);
  const key = await makeKey(client, token);
  let mira = await signIn('mira@northwind.example');
  let edda = await signIn('edda@northwind.example');
  let switches = 0;
  let signIns = 0;
  const kept = await hash(password, PARAMETERS);
  const kind = (what: string, times: number, run: () => Promise<unknown>): Kind => ({
    ...{ what, times, run },
    tookMs: [],
    cpuMs: [],
  });
  return {
    ping: kind('a request of nobody', PINGS, () => ping()),
    token: kind('the same with a token', PINGS, () => ping(token)),
    key: kind('the same with an API key', KEY_PINGS, () => ping(key)),
    refresh: kind('the next tokens', EXCHANGES, async () => {
      mira = await ask('refreshSession', REFRESH, { refreshToken: mira.refreshToken });
    }),
    switch: kind('another tenant', EXCHANGES, async () => {
      switches++;
      edda = await ask('switchTenant', SWITCH, { tenantId: BOTH_TENANTS[switches % 2] }, edda.accessToken);
      if (edda.tenant?.slug !== (switches % 2 ? 'harbour' : 'northwind')) throw new Error('Another tenant than asked.');
    }),
    signIn: kind('signing in', SIGN_INS, () => signIn(`${PEOPLE[signIns++ % PEOPLE.length]}@northwind.example`)),
    hash: kind('the hash alone', SIGN_INS, async () => {
      if (!(await verify(kept, password))) throw new Error('A hash that was not right.');
    }),
  };
}

async function measure(product: Deployment, kind: Kind): Promise<void> {
  const cpu = () => product.figure('process_cpu_seconds_total');
  const [before, own] = [await cpu(), process.cpuUsage()];
  for (let i = 0; i < kind.times; i++) {
    const beganAt = performance.now();
    await kind.run();
    kind.tookMs.push(performance.now() - beganAt);
  }
  const used = (await cpu()) - before;
  const { user, system } = process.cpuUsage(own);
  kind.cpuMs.push((kind.what === 'the hash alone' ? (user + system) / 1_000 : used * 1_000) / kind.times);
}

function judge(asked: Awaited<ReturnType<typeof kindsOf>>): Result[] {
  const told = ({ tookMs, cpuMs }: Kind) =>
    `p50 ${median(tookMs).toFixed(2)}, p95 ${percentile(tookMs, 0.95).toFixed(2)} ms, ${median(cpuMs).toFixed(2)} ms of CPU`;
  const { ping, token, key, refresh, switch: toAnother, signIn, hash: bare } = asked;
  const against = ({ tookMs, cpuMs }: Kind, other: Kind) =>
    `${(median(tookMs) / median(other.tookMs)).toFixed(2)} × the time and ${(median(cpuMs) / median(other.cpuMs)).toFixed(2)} × the CPU of ${other.what}`;
  const over = median(signIn.tookMs) - median(bare.tookMs);
  const exchange = (kind: Kind, boundMs: number): Result => ({
    what: `${kind.what}, p95 (${against(kind, ping)})`,
    figure: told(kind),
    bound: `≤ ${boundMs} ms`,
    holds: percentile(kind.tookMs, 0.95) <= boundMs,
  });
  return [
    {
      what: `signing in over its hash (${against(signIn, bare)})`,
      figure: `${over.toFixed(1)} ms (${told(signIn)}; the hash ${told(bare)})`,
      bound: `≤ ${SIGN_IN_BOUND_MS} ms`,
      holds: over <= SIGN_IN_BOUND_MS,
    },
    exchange(refresh, REFRESH_BOUND_MS),
    exchange(toAnother, SWITCH_BOUND_MS),
    ...[ping, token, key].map((kind) => ({
      what: kind === ping ? kind.what : `${kind.what} (${against(kind, ping)})`,
      figure: told(kind),
      bound: 'reported',
      holds: true,
    })),
  ];
}
