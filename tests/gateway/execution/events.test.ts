import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { pino } from 'pino';
import { ANONYMOUS } from '../../../gateway/auth.ts';
import { bodyText, type ClientRequest, dataOf, Graph } from '../../../gateway/graph.ts';
import type { Standing } from '../../../gateway/standing.ts';
import type { GraphRequest, GraphResult } from '../../../subgraphs/_kernel/subgraph.ts';
import { type Answer, type Data, federate } from './federation.ts';
import { faultsOf } from './oracle.ts';
import { worldOfStory } from './story.ts';

const world = worldOfStory({
  subgraphs: {
    network:
      'type Query { q: Int } type Subscription { changed(id: ID!): Device any: Found sure: Device! } union Found = Device | Alarm type Device @key(fields: "id") { id: ID! load: Int neighbours: [Device!] } type Alarm { text: String! }',
    crm: 'type Device @key(fields: "id") { id: ID! owner: String contract: String! }',
  },
  things: {
    core: { type: 'Device', id: 'core', load: 9, neighbours: ['@edge', '@core'], owner: 'Ops', contract: 'c1' },
    edge: { type: 'Device', id: 'edge', load: null, neighbours: null, owner: new Error('broken'), contract: null },
    alarm: { type: 'Alarm', text: 'hot' },
  },
  Query: { q: 7 },
  Subscription: { changed: ({ id }: Data) => `@${id}`, any: '@core', sure: '@edge' },
});
const federation = federate(world);

const sourceOf = (name: string) => ({
  name,
  execute: (body: string) => {
    const { query, variables } = JSON.parse(body) as GraphRequest;
    return federation.ask({ serviceName: name, operation: query, operationKind: 'query' } as never, variables as Data);
  },
});
const graph = new Graph({
  supergraph: { current: () => federation.supergraph, onChange: () => undefined },
  sources: new Map(['network', 'crm'].map((name) => [name, sourceOf(name)])),
  mint: () => 'sealed',
  subgraphTimeoutMs: 1_000,
  log: pino({ level: 'silent' }),
} as never);
const standing: Standing = { caller: ANONYMOUS, license: null, features: {}, core: 'FULL', isLicenseUnknown: false };

/** Runs the rest of a subscription's plan on one event of its stream; without one, on what the subgraph would send. */
async function onEvent(query: string, variables: Data = {}, sent?: GraphResult): Promise<Answer> {
  const request: ClientRequest = { query, variables, caller: ANONYMOUS, requestId: 'r', address: '::1' };
  const operation = graph.prepare(request);
  const { primary, rest } = operation.plan.node as unknown as { primary: FetchNode; rest?: PlanNode };
  const result = sent ?? (await federation.ask(primary, variables));
  const told = await graph.run(operation, request, standing, { primary, result, rest });
  return { data: dataOf(told), errors: told.errors ?? [] };
}

test.each([
  ['the event alone', 'subscription { changed(id: "core") { load l: load id } }'],
  [
    'fields of other domains',
    'subscription { c: changed(id: "core") { owner id: load neighbours { id contract } load } }',
  ],
  ['an error in what is added', 'subscription { changed(id: "edge") { load owner } }'],
  ['an error that nulls the event', 'subscription { changed(id: "edge") { id contract } }'],
  ['an error below a list', 'subscription { changed(id: "core") { neighbours { id owner } } }'],
  ['a list nulled by one of its members', 'subscription { changed(id: "core") { id neighbours { contract } } }'],
  ['no data at all', 'subscription { sure { contract } }'],
  ['one type of several', 'subscription { any { __typename ... on Device { owner } ... on Alarm { text } } }'],
])('An event is shown as a query would show it: %s', async (_what, query) => {
  const told = await onEvent(query);
  expect(await faultsOf(told, world, federation.supergraph.schema, { query })).toEqual([]);
});

test('An event’s variables reach every domain asked for it', async () => {
  const told = await onEvent('subscription ($id: ID!) { changed(id: $id) { owner } }', { id: 'core' });
  expect(told).toEqual({ data: { changed: { owner: 'Ops' } }, errors: [] });
});

test('An event that is only an error says so at its place', async () => {
  const told = await onEvent(
    'subscription { c: changed(id: "core") { owner } }',
    {},
    { data: null, errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] },
  );
  expect(told).toEqual({
    data: { c: null },
    errors: [{ message: 'No.', path: ['c'], extensions: { code: 'FORBIDDEN' } }],
  });
});

test('A query under conditions is answered by those of each request', async () => {
  const query = 'query ($isLong: Boolean!) { q @skip(if: $isLong) __typename @include(if: $isLong) }';
  for (const isLong of [true, false, true]) {
    const request: ClientRequest = { query, variables: { isLong }, caller: ANONYMOUS, requestId: 'r', address: '::1' };
    expect(bodyText(await graph.run(graph.prepare(request), request, standing))).toBe(
      isLong ? '{"data":{"__typename":"Query"}}' : '{"data":{"q":7}}',
    );
  }
});

test('One event leaves no trace in the next', async () => {
  const query = 'subscription { changed(id: "core") { owner load } }';
  const empty = await onEvent(query, {}, { data: { __alias_changed: null } });
  expect(empty).toEqual({ data: { changed: null }, errors: [] });
  expect((await onEvent(query)).data).toEqual({ changed: { owner: 'Ops', load: 9 } });
});
