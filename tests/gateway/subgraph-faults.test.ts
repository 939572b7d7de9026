import { type DataSource, localSubgraph } from '../../gateway/data-sources.ts';
import { remoteSubgraph } from '../../gateway/http-transport.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { until } from '../kernel/by-hand.ts';
import { GatewayClient, type GraphError, type Person } from '../setup/gateway.ts';
import {
  bomb,
  cutsOff,
  dawdles,
  drips,
  hangs,
  hangsUp,
  type Liar,
  type Lie,
  openLiar,
  says,
  talksOn,
} from '../setup/liar.ts';
import { openWorld, type World } from '../setup/world.ts';

/** The deadline of one call to a subgraph, milliseconds. */
const TIMEOUT_MS = 1_500;
const GB = 1024 ** 3;
const MB = 1024 ** 2;

/** Two questions for the domain that lies: one at the root, one about another domain's customers. */
const QUERY = `query Both {
  tenant { slug }
  leads(first: 1) { nodes { number } }
  customers(first: 3) { nodes { name contacts { displayName } } }
}`;

let world: World;
let gateway: Gateway;
let client: GatewayClient;
let ingrid: Person;
let liar: Liar;

interface Both {
  tenant: { slug: string };
  leads: { nodes: { number: string }[] } | null;
  customers: { nodes: { name: string; contacts: { displayName: string }[] | null }[] };
}
let truth: Both;

/** Answers what the domain knows, in JSON or as it is told. */
const honest =
  (change: (result: { data: Record<string, unknown> }) => unknown = (result) => result): Lie =>
  async (response, body, request) => {
    const result = await world.subgraph('crm').execute(body, String(request.headers['isp-envelope']));
    says(change(result as never))(response, body, request);
  };

/** Lies when it is asked about entities, and only then. */
const liesOfEntities = (change: (entities: unknown[]) => unknown): Lie =>
  honest((result) =>
    Array.isArray(result.data._entities) ? { data: { _entities: change(result.data._entities) } } : result,
  );

beforeAll(async () => {
  world = await openWorld({
    SUBGRAPH_TIMEOUT_MS: String(TIMEOUT_MS),
    RATE_PER_CALLER: '1000000',
    RATE_PER_TENANT: '1000000',
  });
  const log = createLog(world.config, 'gateway');
  liar = await openLiar(honest());
  const sources = new Map<string, DataSource>(
    world.serving.subgraphs.map((running) => [
      running.name,
      running.name === 'crm' ? remoteSubgraph('crm', liar.url, log) : localSubgraph(running),
    ]),
  );
  gateway = await startGateway(world.config, sources, world.serving.fanOut, log);
  client = new GatewayClient(gateway.port);
  ingrid = await client.signIn('ingrid@northwind.example', String(world.config.SEED_PASSWORD));
  const { data } = await ingrid.ask<Both, object>(QUERY);
  truth = data as Both;
});
afterAll(async () => {
  await client.close();
  await gateway.stop();
  await liar.close();
  await world.close();
});
afterEach(async () => {
  liar.lie = honest();
  await until('the domain is asked again', async () => !(await ingrid.ask<Both, object>(QUERY)).errors);
});

const told = (errors: readonly GraphError[] = []) =>
  errors.map(({ path, extensions }) => [path?.join('.'), extensions.code]);

/** What nobody outside may read in an answer. */
function expectNothingInside(answer: unknown): void {
  const text = JSON.stringify(answer);
  for (const inside of [
    '127.0.0.1',
    new URL(liar.url).port,
    'ECONN',
    'UND_ERR',
    'socket',
    'select ',
    'node_modules',
    '.ts',
    '_entities',
  ])
    expect(text).not.toContain(inside);
}

test('an honest domain is asked for everything', () => {
  expect(truth.leads?.nodes).toHaveLength(1);
  expect(truth.customers.nodes).toHaveLength(3);
  expect(truth.customers.nodes.every(({ contacts }) => Array.isArray(contacts))).toBe(true);
});

const ALL_LOST: [string, Lie, string][] = [
  ['hangs', hangs, 'SUBGRAPH_TIMEOUT'],
  ['dawdles over its headers', dawdles, 'SUBGRAPH_TIMEOUT'],
  ['says one byte a second', drips('{"data":{"leads":null}}', 1_000), 'SUBGRAPH_TIMEOUT'],
  ['hangs up', hangsUp, 'SUBGRAPH_UNAVAILABLE'],
  ['is cut off in the middle of its answer', cutsOff, 'SUBGRAPH_UNAVAILABLE'],
  ['says garbage', says('<<<{{{'), 'SUBGRAPH_UNAVAILABLE'],
  ['says nothing', says(''), 'SUBGRAPH_UNAVAILABLE'],
  ['breaks off its JSON', says('{"data":{"leads":{"nodes":['), 'SUBGRAPH_UNAVAILABLE'],
  [
    'says a page of HTML',
    says('<h1>Bad gateway at 10.0.0.7</h1>', 502, { 'content-type': 'text/html' }),
    'SUBGRAPH_UNAVAILABLE',
  ],
  [
    'says JSON and calls it text',
    says({ data: { leads: null } }, 200, { 'content-type': 'text/plain' }),
    'SUBGRAPH_UNAVAILABLE',
  ],
  ['breaks, with HTTP 500', says({ message: 'panic at /srv/crm/index.js:17' }, 500), 'SUBGRAPH_UNAVAILABLE'],
  ['sends us elsewhere', says('', 302, { location: 'http://127.0.0.1:1/graphql' }), 'SUBGRAPH_UNAVAILABLE'],
  ['sends us elsewhere for good', says({ data: {} }, 308, { location: '/elsewhere' }), 'SUBGRAPH_UNAVAILABLE'],
  ['says a list', says([{ data: {} }]), 'SUBGRAPH_UNAVAILABLE'],
  ['says a number', says('42'), 'SUBGRAPH_UNAVAILABLE'],
  ['says null', says('null'), 'SUBGRAPH_UNAVAILABLE'],
  ['says null data and not why', says({ data: null }), 'SUBGRAPH_UNAVAILABLE'],
  ['says neither data nor errors', says({ extensions: { tracing: {} } }), 'SUBGRAPH_UNAVAILABLE'],
  ['says data that is a list', says({ data: [] }), 'SUBGRAPH_UNAVAILABLE'],
  ['says data that is text', says({ data: 'leads' }), 'SUBGRAPH_UNAVAILABLE'],
  ['says empty data', says({ data: {} }), 'SUBGRAPH_UNAVAILABLE'],
  ['says errors that are none', says({ data: {}, errors: 'all of them' }), 'SUBGRAPH_UNAVAILABLE'],
  ['sends what it says packed, though nobody asked', bomb, 'SUBGRAPH_UNAVAILABLE'],
];

test.each(ALL_LOST)('a domain that %s costs its own fields only', async (_, lie, code) => {
  liar.lie = lie;
  const startedAt = Date.now();
  const answer = await ingrid.ask<Both, object>(QUERY);
  expect(Date.now() - startedAt).toBeLessThan(3 * TIMEOUT_MS);
  expect(answer.status).toBe(200);
  expect(answer.data).toEqual({
    tenant: { slug: 'northwind' },
    leads: null,
    customers: { nodes: truth.customers.nodes.map(({ name }) => ({ name, contacts: null })) },
  });
  expect(told(answer.errors).sort()).toEqual([
    ['customers.nodes.0.contacts', code],
    ['customers.nodes.1.contacts', code],
    ['customers.nodes.2.contacts', code],
    ['leads', code],
  ]);
  expectNothingInside(answer);
});

const ENTITIES_LOST: [string, (entities: unknown[]) => unknown, string[]][] = [
  ['fewer customers than it was asked about', (entities) => entities.slice(0, 1), ['0', '1', '2']],
  ['more customers than it was asked about', (entities) => [...entities, entities[0]], ['0', '1', '2']],
  ['no list of customers', () => 'customers', ['0', '1', '2']],
  ['text for a customer', ([, ...others]) => ['a customer', ...others], ['0']],
  ['a list for a customer', ([, ...others]) => [[], ...others], ['0', '1', '2']],
];

test.each(
  ENTITIES_LOST,
)('a domain that says %s loses what it says of them, and nothing else', async (_, change, lost) => {
  liar.lie = liesOfEntities(change);
  const answer = await ingrid.ask<Both, object>(QUERY);
  expect(answer.data).toEqual({
    ...truth,
    customers: {
      nodes: truth.customers.nodes.map(({ name, contacts }, i) => ({
        name,
        contacts: lost.includes(String(i)) ? null : contacts,
      })),
    },
  });
  expect(told(answer.errors)).toEqual(lost.map((i) => [`customers.nodes.${i}.contacts`, 'SUBGRAPH_UNAVAILABLE']));
  expectNothingInside(answer);
});

const WRONG_LEADS: [string, unknown, string | undefined][] = [
  ['text for an object', 'leads', 'leads'],
  ['a list for an object', [], 'leads.nodes'],
  ['an object for a list', { nodes: { number: 'L-1' } }, 'leads.nodes'],
  ['null where there is always something', { nodes: null }, 'leads.nodes'],
  ['a list of text for a list of objects', { nodes: ['L-1'] }, 'leads.nodes.0'],
  ['an object for text', { nodes: [{ number: { is: 'L-1' } }] }, 'leads.nodes.0.number'],
];

test.each(WRONG_LEADS)('a domain that says %s loses that field, with an error at its path', async (_, leads, path) => {
  liar.lie = honest((result) => {
    const [key = ''] = Object.keys(result.data); // the planner gives it a name of its own
    return key === '_entities' ? result : { data: { [key]: leads } };
  });
  const answer = await ingrid.ask<Both, object>(QUERY);
  expect(answer.data).toEqual({ ...truth, leads: null });
  expect(answer.errors?.map((error) => error.path?.join('.'))).toEqual([path]);
  expectNothingInside(answer);
});

test.each([
  ['says how much it is', { 'content-length': GB }],
  ['does not say how much it is', {}],
])('a domain that says a gigabyte, and %s, is heard to eight megabytes at most', async (_, headers) => {
  const before = liar.sent();
  liar.lie = talksOn(GB, headers);
  const used = process.memoryUsage().rss;
  const answer = await ingrid.ask<Both, object>(QUERY);
  expect(answer.data).toMatchObject({ tenant: { slug: 'northwind' }, leads: null });
  expect(new Set(told(answer.errors).map(([, code]) => code))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  await until('it stops', () => liar.connections() <= 1);
  expect(liar.sent() - before).toBeLessThan(64 * MB); // two answers, and what two sockets hold
  expect(process.memoryUsage().rss - used).toBeLessThan(200 * MB);
});

test('a domain that says what is wrong with it is passed on, without what it says of itself', async () => {
  liar.lie = says({
    data: { leads: null },
    errors: [
      {
        message: 'connect ECONNREFUSED 127.0.0.1:5432',
        path: ['leads'],
        extensions: { stacktrace: ['at /srv/crm.ts:7'] },
      },
    ],
  });
  const answer = await ingrid.ask<Both, object>('query Leads { tenant { slug } leads { nodes { number } } }');
  expect(answer.data).toEqual({ tenant: { slug: 'northwind' }, leads: null });
  expect(told(answer.errors)).toEqual([['leads', 'INTERNAL']]);
  expectNothingInside(answer);
});

test('a domain that fails again and again is not asked for a while, and asked again when it is well', async () => {
  liar.lie = says('<<<', 500);
  for (let i = 0; i < 6; i++) await ingrid.ask(QUERY);
  const asked = liar.requests.length;
  const startedAt = Date.now();
  const { errors } = await ingrid.ask<Both, object>(QUERY);
  expect(new Set(told(errors).map(([, code]) => code))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  expect(liar.requests).toHaveLength(asked);
  expect(Date.now() - startedAt).toBeLessThan(TIMEOUT_MS);
  liar.lie = honest();
  await until('it is asked again', async () => !(await ingrid.ask<Both, object>(QUERY)).errors, 3_000);
});

test('a domain that dies while it is asked, and is gone then, costs its own fields only', async () => {
  const { port } = new URL(liar.url);
  liar.lie = hangs;
  const before = liar.requests.length;
  const asked = Array.from({ length: 10 }, () => ingrid.ask<Both, object>(QUERY));
  await until('it is asked', () => liar.requests.length >= before + 10);
  await liar.close();
  for (const answer of [...(await Promise.all(asked)), await ingrid.ask<Both, object>(QUERY)]) {
    expect(answer.data).toMatchObject({ tenant: { slug: 'northwind' }, leads: null });
    expect(new Set(told(answer.errors).map(([, code]) => code))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
    expectNothingInside(answer);
  }
  liar = await openLiar(honest(), Number(port));
});
