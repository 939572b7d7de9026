import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import type { WebSocket } from 'ws';
import { type DataSource, localSubgraph } from '../../gateway/data-sources.ts';
import { remoteSubgraph } from '../../gateway/http-transport.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { Context } from '../../subgraphs/_kernel/context.ts';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { anonymousEnvelope } from '../../subgraphs/_kernel/signed-context.ts';
import { type SubgraphServer, serveOverHttp } from '../../subgraphs/_kernel/subgraph-server.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { until } from '../kernel/by-hand.ts';
import { GatewayClient, type Person, rawSocket } from '../setup/gateway.ts';
import { openWorld, type World } from '../setup/world.ts';

/** How soon a query has to be gone from the database once nobody waits for it, milliseconds. */
const GONE_MS = 500;
/** The deadline of a call to a subgraph at the gateway that is short of patience, milliseconds. */
const SHORT_MS = 300;

const PROFILE = 'query Profile { tenant { slug name } }';
const RENAME =
  'mutation Rename($input: TenantProfileInput!) { updateTenantProfile(input: $input) { userErrors { message } } }';
const KESTREL = seedId(SEED_TENANTS.kestrel);

let world: World;
let holder: pg.Client;
let token: string;
const servers: SubgraphServer[] = [];
const gateways: Gateway[] = [];

beforeAll(async () => {
  world = await openWorld({ DATABASE_POOL: '3' });
  holder = new pg.Client({ connectionString: world.databaseUrl });
  await holder.connect();
});
afterAll(async () => {
  await holder.end();
  for (const gateway of gateways) await gateway.stop();
  for (const server of servers) await server.stop();
  await world.close();
});

/** A gateway whose subgraphs are function calls, or behind HTTP. */
async function gatewayOver(transport: string, env: Record<string, string> = {}): Promise<GatewayClient> {
  const log = createLog(world.config, 'gateway');
  const sources = new Map<string, DataSource>();
  for (const running of world.serving.subgraphs) {
    if (transport === 'HTTP') {
      const server = await serveOverHttp(running, { host: '127.0.0.1', port: 0 });
      servers.push(server);
      sources.set(running.name, remoteSubgraph(running.name, server.url, log));
    } else sources.set(running.name, localSubgraph(running));
  }
  const gateway = await startGateway({ ...world.config, ...env }, sources, world.serving.fanOut, log);
  gateways.push(gateway);
  return new GatewayClient(gateway.port);
}

/** Statements of a subgraph that wait for what the test holds. */
const stuck = async () =>
  (
    await world.sql(
      `select pid, query from pg_stat_activity where usename = 'svc_tenancy' and wait_event_type = 'Lock' and state = 'active'`,
    )
  ).length;

/** Statements of a subgraph that sleep. */
const asleep = async () =>
  (await world.sql(`select 1 from pg_stat_activity where usename = 'svc_tenancy' and wait_event = 'PgSleep'`)).length;

/** Runs while nobody can read the tenants' table. */
async function whileHeld(run: () => Promise<unknown>): Promise<void> {
  await holder.query('begin; lock table tenancy.tenant in access exclusive mode');
  try {
    await run();
  } finally {
    await holder.query('rollback');
  }
}

const post = (client: GatewayClient, { token }: Person, query: string, signal: AbortSignal, variables = {}) =>
  fetch(client.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal,
  });

describe.each(['a function call', 'HTTP'])('with a subgraph reached by %s', (transport) => {
  let client: GatewayClient;
  let wren: Person;
  beforeAll(async () => {
    client = await gatewayOver(transport);
    wren = await client.signIn('wren@kestrel.example', String(world.config.SEED_PASSWORD));
    ({ token } = wren);
    await wren.ask(PROFILE);
  });
  afterAll(() => client.close());

  test('a client that hangs up takes its query with it, out of the database too', async () => {
    const left = new AbortController();
    await whileHeld(async () => {
      const asked = post(client, wren, PROFILE, left.signal).catch((error: Error) => error.name);
      await until('the query waits', async () => (await stuck()) === 1);
      left.abort();
      await until('the query is gone', async () => (await stuck()) === 0, GONE_MS);
      expect(await asked).toBe('AbortError');
    });
    expect((await wren.ask(PROFILE)).data).toEqual({ tenant: { slug: 'kestrel', name: 'Kestrel Wireless' } });
  });

  test('as many clients as there are connections hang up, again and again, and no connection is lost', async () => {
    for (let round = 0; round < 5; round++) {
      const left = new AbortController();
      await whileHeld(async () => {
        const asked = Array.from({ length: 3 }, () => post(client, wren, PROFILE, left.signal).catch(() => undefined));
        await until('the queries wait', async () => (await stuck()) === 3);
        left.abort();
        await until('the queries are gone', async () => (await stuck()) === 0, GONE_MS);
        await Promise.all(asked);
      });
      const answers = await Promise.all(Array.from({ length: 3 }, () => wren.ask<object, object>(PROFILE)));
      expect(answers.map(({ errors }) => errors)).toEqual([undefined, undefined, undefined]);
    }
  });

  test.each([
    ['completes its operation', (socket: WebSocket) => socket.send('{"id":"1","type":"complete"}')],
    ['closes its socket', (socket: WebSocket) => socket.close()],
    ['is cut off', (socket: WebSocket) => socket.terminate()],
  ])('a client on a socket that %s takes its query with it', async (_, leave) => {
    const socket = await rawSocket(client.url);
    socket.on('error', () => undefined);
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${wren.token}` } }));
    await once(socket, 'message');
    await whileHeld(async () => {
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: PROFILE } }));
      await until('the query waits', async () => (await stuck()) === 1);
      leave(socket);
      await until('the query is gone', async () => (await stuck()) === 0, GONE_MS);
    });
    socket.terminate();
  });

  test('a client on a socket gets its answer, and then the end of its operation', async () => {
    const socket = await rawSocket(client.url);
    const heard: string[] = [];
    socket.on('message', (data) => heard.push((JSON.parse(String(data)) as { type: string }).type));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${wren.token}` } }));
    await until('it is let in', () => heard.length === 1);
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: PROFILE } }));
    await until('it is answered', () => heard.length === 3);
    expect(heard).toEqual(['connection_ack', 'next', 'complete']);
    socket.close();
  });

  test('a mutation whose client hangs up runs to its end', async () => {
    const name = `Kestrel ${randomUUID()}`;
    const left = new AbortController();
    await holder.query('begin');
    await holder.query('select 1 from tenancy.tenant where id = $1 for update', [KESTREL]);
    const asked = post(client, wren, RENAME, left.signal, { input: { name } }).catch((error: Error) => error.name);
    await until('the mutation waits', async () => (await stuck()) === 1);
    left.abort();
    expect(await asked).toBe('AbortError');
    await holder.query('rollback');
    const named = () => world.sql('select 1 from tenancy.tenant where id = $1 and name = $2', [KESTREL, name]);
    await until('it has the new name', async () => (await named()).length === 1);
    await client.post(RENAME, { input: { name: 'Kestrel Wireless' } }, wren.token);
  });
});

describe.each(['a function call', 'HTTP'])('with a short deadline, over %s', (transport) => {
  test('a query that passes it is answered SUBGRAPH_TIMEOUT and stopped in the database', async () => {
    const client = await gatewayOver(transport, { SUBGRAPH_TIMEOUT_MS: SHORT_MS as never });
    const wren = client.as(token); // to sign in may take longer
    await until('it answers', async () => !(await wren.ask<object, object>(PROFILE)).errors);
    await whileHeld(async () => {
      const { data, errors } = await wren.ask<object, object>(PROFILE);
      expect(data).toEqual({ tenant: null });
      expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
        [['tenant'], 'SUBGRAPH_TIMEOUT'],
      ]);
      await until('the query is gone', async () => (await stuck()) === 0, GONE_MS);
    });
    await client.close();
  });
});

describe('what is cancelled', () => {
  const contextOf = () =>
    new Context({ ...anonymousEnvelope(), tenantId: KESTREL }, world.subgraph('tenancy').machinery);

  test('stops at once, with everything that stood in line behind it', async () => {
    const ctx = contextOf();
    const em = await ctx.em();
    const asked = [1, 2, 3].map(() => em.execute('select pg_sleep(2)').catch((error: Error) => error.message));
    await until('it sleeps', async () => (await asleep()) === 1);
    ctx.cancel();
    expect(await Promise.all(asked)).toEqual(Array(3).fill('This transaction is over.'));
    await ctx.close();
    expect(await asleep()).toBe(0);
    await expect(contextOf().em()).resolves.toBeDefined();
  });

  test('keeps nothing a use case wrote, though it goes on and thinks it is done', async () => {
    const ctx = contextOf();
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const use = ctx.tx(async (em) => {
      await em.execute(`update tenancy.tenant set name = 'Nobody' where id = ?`, [KESTREL]);
      begun.resolve();
      await goOn.promise;
    });
    await begun.promise;
    ctx.cancel();
    goOn.resolve();
    await expect(use).rejects.toThrow('This transaction is over.');
    await ctx.close();
    expect(await world.sql('select name from tenancy.tenant where id = $1', [KESTREL])).toEqual([
      { name: 'Kestrel Wireless' },
    ]);
  });

  test('never hits the statement that is next on its connection', async () => {
    const { machinery } = world.subgraph('tenancy');
    for (let round = 0; round < 200; round++) {
      const ctx = contextOf();
      const asked = (await ctx.em()).execute('select pg_sleep(?)', [Math.random() / 500]).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      ctx.cancel();
      await ctx.close();
      await asked;
      const next = new Context({ ...anonymousEnvelope(), tenantId: KESTREL }, machinery);
      expect(await (await next.em()).execute('select 1 as one')).toEqual([{ one: 1 }]);
      await next.close();
    }
  });
});
