import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { type AccessClaims, signAccessToken } from '../../subgraphs/_kernel/access-token.ts';
import { openWith } from '../../subgraphs/_kernel/cipher.ts';
import { ed25519FromSeed } from '../../subgraphs/_kernel/dev-secrets.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { rotateTokenKeys } from '../../subgraphs/identity/token-key.service.ts';
import { type Serving, serve } from '../../subgraphs/serve.ts';
import { GatewayClient, openGatewayWorld } from '../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let others: Serving;
let second: Gateway;
let clients: [GatewayClient, GatewayClient];

/** Two gateways, each over an identity of its own, as two machines have them. */
beforeAll(async () => {
  running = await openGatewayWorld();
  const { config } = running.world;
  const log = createLog(config, 'gateway');
  others = await serve(config, log, ['identity', 'tenancy', 'licensing', 'billing']);
  second = await startGateway(
    config,
    new Map(others.subgraphs.map((one) => [one.name, localSubgraph(one)])),
    others.fanOut,
    log,
  );
  clients = [running.client, new GatewayClient(second.port)];
}, 120_000);
afterAll(async () => {
  await second?.stop();
  await others?.stop();
  await running?.close();
});

const PEOPLE = [
  'ingrid@northwind.example',
  'jonas@northwind.example',
  'mira@northwind.example',
  'samira@northwind.example',
  'wren@kestrel.example',
  'bruno@atlas.example',
];
const ME = '{ me { user { id } } }';
const REFRESH =
  'mutation($input: RefreshInput) { refreshSession(input: $input) { session { accessToken refreshToken } userErrors { message } } }';
/** How often the people change to the next token, milliseconds; in between they ask without a pause. */
const TOKEN_MS = 300;
/** News of keys have reached a gateway after this, milliseconds. */
const HEARD_MS = 1_000;

const partOf = (token: string, i: number) =>
  JSON.parse(Buffer.from(String(token.split('.')[i]), 'base64url').toString());
const kidOf = (token: string): string => partOf(token, 0).kid;
const claimsOf = (token: string): AccessClaims => partOf(token, 1);

/** Asks as a client does who is told that too much goes on: again. */
async function ask<T>(client: GatewayClient, query: string, variables: object, token?: string) {
  for (;;) {
    const answer = await client.post<T, object>(query, variables, token);
    if (answer.errors?.[0]?.extensions.code !== 'OVERLOADED') return answer;
    await sleep(50);
  }
}

/** What becomes of a token at either gateway: undefined where it is let in. */
const codesFor = (token: string) =>
  Promise.all(
    clients.map(async (client) =>
      (await ask(client, ME, {}, token)).errors?.map(({ extensions }) => extensions.code).join(),
    ),
  );
const REFUSED = ['UNAUTHENTICATED', 'UNAUTHENTICATED'];
const LET_IN = [undefined, undefined];

/** Time as the keys see it goes on, and whatever is due with them happens. */
async function pass(time: string): Promise<void> {
  await running.world.sql(
    'update identity.token_key set made_at = made_at - $1::interval, active_at = active_at - $1::interval, retiring_at = retiring_at - $1::interval',
    [time],
  );
  await rotateTokenKeys(await running.world.system('platform', 'identity'));
}

const kidsAt = async (client: GatewayClient): Promise<string[]> => {
  const answer = await fetch(client.url.replace('/graphql', '/.well-known/jwks.json'));
  return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid).sort();
};

/** The private half of a key, as whoever stole it has it. */
async function stolen(kid: string): Promise<KeyObject> {
  const [{ sealed }] = await running.world.sql('select sealed from identity.token_key where kid = $1', [kid]);
  const seed = openWith(Buffer.from(running.world.config.IDENTITY_DATA_KEY, 'base64url'), kid, sealed);
  return ed25519FromSeed(seed.toString('base64url'));
}

/** People who ask at both gateways without a pause and take their next token at one that may change. */
function load(tokens: { token: string; refreshToken: string }[]) {
  const seen = { asked: 0, refusals: [] as string[], kids: new Set<string>() };
  const state = { refreshAt: 0, isOver: false };
  const person = async (held: { token: string; refreshToken: string }) => {
    let renewedAt = performance.now();
    for (let i = 0; !state.isOver; i++) {
      const { errors } = await ask(clients[i % 2] as GatewayClient, ME, {}, held.token);
      seen.asked++;
      if (errors) seen.refusals.push(`${kidOf(held.token)}: ${JSON.stringify(errors)}`);
      if (performance.now() - renewedAt < TOKEN_MS) continue;
      renewedAt = performance.now();
      const input = { refreshToken: held.refreshToken };
      const { data } = await ask<{
        refreshSession: { session: { accessToken: string; refreshToken: string } | null };
      }>(clients[state.refreshAt] as GatewayClient, REFRESH, { input });
      const next = data?.refreshSession.session;
      if (!next) seen.refusals.push('a refresh');
      else Object.assign(held, { token: next.accessToken, refreshToken: next.refreshToken });
      seen.kids.add(kidOf(held.token));
    }
  };
  const people = Promise.all(tokens.map(person));
  return {
    seen,
    /** From which gateway next tokens come: each signs with the key its process has read. */
    refreshAt: (i: number) => {
      state.refreshAt = i;
    },
    async stop() {
      state.isOver = true;
      await people;
    },
  };
}

test('Keys of access tokens rotate under load at two gateways: whoever is let in stays in, and what a withdrawn key has signed is out', async () => {
  const tokens: { token: string; refreshToken: string }[] = [];
  for (const email of PEOPLE) {
    const { token, refreshToken } = await running.client.signIn(email, running.password);
    tokens.push({ token, refreshToken });
  }
  const first = tokens[0] as { token: string };
  const of = claimsOf(first.token);
  const oldKid = kidOf(first.token);
  const oldKey = await stolen(oldKid);
  const sign = (claims: Partial<AccessClaims>, kid = oldKid) => signAccessToken({ ...of, ...claims }, kid, oldKey);

  const asking = load(tokens);
  // Strangers with made-up keys make the gateways look for keys again and again, which must keep nobody out.
  let isOver = false;
  const strangers = (async () => {
    for (let i = 0; !isOver; i++, await sleep(20)) expect(await codesFor(sign({}, `made-up-${i}`))).toEqual(REFUSED);
  })();
  try {
    await sleep(1_000);
    await pass('29 days'); // the next key is published
    await sleep(HEARD_MS);
    for (const client of clients) expect(await kidsAt(client)).toHaveLength(2);
    expect(asking.seen.kids).toEqual(new Set([oldKid]));

    await pass('1 day'); // and takes over
    asking.refreshAt(1); // a process that had not read a key yet signs with it at once, the other goes on with the old one
    await sleep(2 * HEARD_MS);
    const [newKid] = [...asking.seen.kids].filter((kid) => kid !== oldKid);
    expect(newKid).toBeDefined();
    const bySecond = tokens.map(({ token }) => kidOf(token));
    expect(new Set(bySecond)).toEqual(new Set([newKid]));
    asking.refreshAt(0);
    await sleep(HEARD_MS);
    expect(new Set(tokens.map(({ token }) => kidOf(token)))).toEqual(new Set([oldKid]));
    asking.refreshAt(1);
    await sleep(HEARD_MS);

    const now = Math.floor(Date.now() / 1_000);
    const old = tokens[0] as { token: string };
    const fresh = signAccessToken(
      { ...claimsOf(old.token), iat: now, exp: now + 300, jti: 'old-but-good' },
      oldKid,
      oldKey,
    );
    expect(await codesFor(fresh)).toEqual(LET_IN);
    expect(await codesFor(sign({ iat: now - 306, exp: now - 6 }))).toEqual(REFUSED);

    await pass('1 hour'); // the old one is withdrawn
    await sleep(HEARD_MS);
    expect(await codesFor(fresh)).toEqual(REFUSED);
    const forged = signAccessToken({ ...claimsOf(fresh), jti: 'not-seen-before' }, oldKid, oldKey);
    expect(await codesFor(forged)).toEqual(REFUSED);
    for (const client of clients) expect(await kidsAt(client)).toEqual([newKid]);
    await sleep(HEARD_MS);
  } finally {
    isOver = true;
    await strangers;
    await asking.stop();
  }
  expect(asking.seen.refusals).toEqual([]);
  expect(asking.seen.asked).toBeGreaterThan(PEOPLE.length * 20);
}, 60_000);
