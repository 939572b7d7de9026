import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isUnionType } from 'graphql';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { entityQuery, gatesIn, type Ids, valuesAt, type Walk, walksOf } from '../setup/gate-walk.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { DOORS, type Door, followOver } from '../setup/streams.ts';

/** What somebody might hope opens a gate. */
const HOPES = {
  ...{
    'x-feature': 'crm,tickets',
    'x-features': 'crm,tickets',
    'feature-override': 'crm,tickets',
    'x-license-tier': 'enterprise',
  },
  ...{
    'isp-envelope': '{"features":{"crm":{"access":"FULL"}}}',
    'x-enforcement': 'OBSERVE',
    'x-tenant-id': seedId('0a05'),
  },
};
const NORTHWIND = seedId('0a02');
const EXTENSIONS = {
  features: { crm: { access: 'FULL' } },
  observed: 'FULL',
  FEATURE_OVERRIDE: 'crm,tickets',
  reply: {},
};
/** Made ready when the gateway starts, whoever may ask it later. */
const PERSISTED =
  'query Persisted { contacts(first: 2) { nodes { displayName } } tickets(first: 2) { nodes { subject } } }';
const persistedId = createHash('sha256').update(PERSISTED).digest('hex');
const manifestOf = (body: string) =>
  JSON.stringify({
    ...{ format: 'apollo-persisted-query-manifest', version: 1 },
    operations: [{ id: persistedId, name: 'Persisted', type: 'query', body }],
  });
/** Requests at once. */
const AT_ONCE = 6;

describe('No gated value comes out by any way', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  let wren: Person;
  let ngozi: Person;
  let gates: Map<string, string>;
  let walks: Walk[];
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-walk-'));
  const figures = { requests: 0, streams: 0, entities: 0 };

  beforeAll(async () => {
    const manifest = join(dir, 'operations.json');
    writeFileSync(manifest, manifestOf(PERSISTED));
    running = await openGatewayWorld({ PERSISTED_OPERATIONS: manifest });
    ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
    wren = await running.client.signIn('wren@kestrel.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    const { sdl, schema } = running.gateway.graph.supergraph;
    gates = gatesIn(sdl, schema);
    walks = walksOf(schema, gates, await idsOf('northwind'));
  }, 60_000);
  afterAll(async () => {
    await running?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Ids of a tenant's things, by the name of their table. */
  async function idsOf(slug: keyof typeof SEED_TENANTS): Promise<Ids> {
    const tables = await running.world.sql(
      `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('billing', 'crm', 'identity', 'licensing', 'network', 'tenancy', 'tickets')
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'id')
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')`,
    );
    const ids = new Map<string, string[]>();
    for (const { schema, name } of tables) {
      const rows = await running.world.sql(
        `select id::text from ${schema}."${name}" where tenant_id = $1 order by id limit 3`,
        [seedId(SEED_TENANTS[slug])],
      );
      ids.set(
        name.replaceAll('_', ''),
        rows.map(({ id }) => id),
      );
    }
    return ids;
  }

  const ask = async (who: Person, query: string, hopes: boolean) => {
    figures.requests += 1;
    const response = await fetch(running.client.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${who.token}`, ...(hopes ? HOPES : {}) },
      body: JSON.stringify({ query, ...(hopes ? { extensions: EXTENSIONS, features: ['crm', 'tickets'] } : {}) }),
    });
    return (await response.json()) as {
      data?: object | null;
      errors?: { message: string; extensions: { code: string } }[];
    };
  };

  /** Walks all ways as somebody and answers the gated coordinates that held a value, and how often the licence denied. */
  const walk = async (who: Person, way: 'plain' | 'disguised', hopes = false) => {
    const { schema } = running.gateway.graph.supergraph;
    const found = new Set<string>();
    const faults = new Set<string>();
    const tooDear = new Set<Walk>();
    let denied = 0;
    const todo = walks.filter(({ kind }) => kind !== 'subscription');
    const work = async () => {
      for (let next = todo.shift(); next; next = todo.shift()) {
        const { data, errors = [] } = await ask(who, next[way], hopes);
        for (const coordinate of valuesAt(schema, gates, next[way], data)) found.add(coordinate);
        for (const { message, extensions } of errors)
          if (extensions.code === 'FEATURE_NOT_LICENSED') denied += 1;
          else if (extensions.code === 'OPERATION_LIMIT') tooDear.add(next);
          else if (/Cannot query|Unknown|Syntax/.test(message)) faults.add(`${next.root}: ${message}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect([...faults]).toEqual([]);
    expect(tooDear.size / walks.length).toBeLessThan(0.02); // what nobody may ask tells nobody anything
    return { found, denied };
  };

  /** What the first answer of a stream holds at gated coordinates. */
  const follow = async ([door, { plain }]: readonly [Door, Walk]) => {
    figures.streams += 1;
    const { schema } = running.gateway.graph.supergraph;
    const stream = await followOver(door, { url: running.client.url, token: ingrid.token, query: plain });
    const first = await Promise.race([
      stream.next<object>().catch(() => undefined),
      sleep(1_000, undefined, { ref: false }),
    ]);
    stream.stop();
    return valuesAt(schema, gates, plain, first?.data);
  };

  /** Asks each subgraph itself for each of its entities, with everything gated it can tell of them. */
  const askSubgraphs = async (opened: readonly string[]) => {
    const found = new Map<string, string>();
    const ids = await idsOf('northwind');
    for (const { name, subgraph, execute } of running.world.serving.subgraphs) {
      const own = gatesIn(subgraph.sdl, subgraph.schema);
      const union = subgraph.schema.getType('_Entity');
      const { envelope } = await running.world.context(
        { tenant: 'northwind', roles: ['tenant_admin'], user: '6021' },
        name,
      );
      const asked = { caller: { ...envelope.caller }, tenantId: envelope.tenantId, permissions: envelope.permissions };
      const features = Object.fromEntries(opened.map((key) => [key, { access: 'FULL' as const }]));
      for (const type of isUnionType(union) ? union.getTypes() : []) {
        const query = entityQuery(subgraph.schema, own, type.name, ids);
        for (const id of ids.get(type.name.toLowerCase()) ?? []) {
          figures.entities += 1;
          const variables = { r: [{ __typename: type.name, id }] };
          const answer = await execute(
            ...running.world.signed({ ...asked, features, licenseVersion: 7 }, name, query, variables),
          );
          expect(answer.errors?.map(({ extensions }) => extensions?.code) ?? []).not.toContain('BAD_USER_INPUT');
          for (const coordinate of valuesAt(subgraph.schema, own, query, answer.data))
            found.set(`${name}: ${coordinate}`, String(own.get(coordinate)));
        }
      }
    }
    return found;
  };

  const override = async (tenantId: string, key: string, isEnabled: boolean | null) => {
    const [door, terms] = isEnabled === null ? ['removeOverride', {}] : ['setOverride', { isEnabled }];
    const input = { tenantId, key, reason: 'Walking the gates.', ...terms };
    const type = door === 'setOverride' ? 'SetOverrideInput' : 'RemoveOverrideInput';
    const { data } = await ngozi.ask(`mutation($input: ${type}!) { ${door}(input: $input) { userErrors { code } } }`, {
      input,
    });
    expect(data).toEqual({ [String(door)]: { userErrors: [] } });
  };

  const askPersisted = async (who: Person) => {
    const response = await fetch(running.client.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${who.token}` },
      body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: persistedId } } }),
    });
    return { status: response.status, data: ((await response.json()) as { data?: object }).data };
  };

  const of = (coordinates: Iterable<string>, ...features: string[]) =>
    [...coordinates].filter((coordinate) => features.includes(String(gates.get(coordinate))));
  /** What the first answers of all streams hold at gated coordinates, over each of these doors. */
  const followAll = async (...doors: Door[]) => {
    const found = new Set<string>();
    const todo = walks
      .filter(({ kind }) => kind === 'subscription')
      .flatMap((stream) => doors.map((door) => [door, stream] as const));
    const work = async () => {
      for (let next = todo.shift(); next; next = todo.shift())
        for (const coordinate of await follow(next)) found.add(coordinate);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  };

  test('with the licence the walk finds values, so that without it there is something to miss', async () => {
    expect(await askPersisted(ingrid)).toMatchObject({ data: { contacts: {}, tickets: {} } });
    const plain = await walk(ingrid, 'plain');
    const disguised = await walk(ingrid, 'disguised');
    expect([plain.denied, disguised.denied]).toEqual([0, 0]);
    const reached = new Set([...plain.found, ...disguised.found, ...(await followAll('sse'))]);
    const told = await askSubgraphs([...new Set(gates.values())]);
    const paths = walks.reduce((sum, one) => sum + one.paths, 0);
    const missed = [...gates.keys()].filter((coordinate) => !reached.has(coordinate));
    console.log(
      `gate walk: ${gates.size} gated coordinates, ${paths} paths in ${walks.length} operations; values at ${reached.size}, and at ${told.size} of subgraphs asked themselves`,
    );
    if (process.env.TEST_LOG) console.log(`gate walk: no value to be had at ${missed.join(', ')}`);
    expect(gates.size).toBeGreaterThan(100);
    expect(reached.size / gates.size).toBeGreaterThan(0.7);
    expect(told.size).toBeGreaterThan(50);
    for (const feature of new Set(gates.values())) {
      const all = of(new Set(gates.keys()), feature).length;
      expect([feature, of(reached, feature).length > Math.min(20, all / 3)]).toEqual([feature, true]);
    }
  }, 300_000);

  test('whoever lacks the feature by their plan finds none of its values, whatever they send along', async () => {
    const { found, denied } = await walk(wren, 'disguised', true);
    expect(of(found, 'crm')).toEqual([]);
    expect(await askPersisted(wren)).toMatchObject({ status: 200, data: { contacts: null, tickets: {} } });
    expect(of(found, 'tickets').length).toBeGreaterThan(10);
    expect(denied).toBeGreaterThan(50);
  }, 300_000);

  test('one feature is lost and the other stays: nothing of the lost one is told by what stays', async () => {
    for (const [lost, kept] of [
      ['crm', 'tickets'],
      ['tickets', 'crm'],
    ] as const) {
      await override(NORTHWIND, lost, false);
      const { found } = await walk(ingrid, 'plain');
      expect(of(found, lost)).toEqual([]);
      expect(of(found, kept).length).toBeGreaterThan(20);
      expect(of(await followAll(...DOORS), lost)).toEqual([]);
      const told = await askSubgraphs([kept]);
      expect([...told].filter(([, feature]) => feature === lost)).toEqual([]);
      expect(told.size).toBeGreaterThan(10);
      await override(NORTHWIND, lost, null);
    }
  }, 300_000);

  test('all features are lost: no way, hidden or plain, leads to anything of them', async () => {
    for (const feature of new Set(gates.values())) await override(NORTHWIND, feature, false);
    expect(await askPersisted(ingrid)).toEqual({ status: 402, data: { contacts: null, tickets: null } });
    const plain = await walk(ingrid, 'plain', true);
    const disguised = await walk(ingrid, 'disguised', true);
    expect([...plain.found, ...disguised.found]).toEqual([]);
    expect([...(await followAll(...DOORS))]).toEqual([]);
    expect([...(await askSubgraphs([]))]).toEqual([]);
    console.log(
      `gate walk: ${figures.requests} requests, ${figures.streams} streams, ${figures.entities} entities asked of subgraphs themselves`,
    );
  }, 300_000);
});
