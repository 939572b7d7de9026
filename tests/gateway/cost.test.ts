import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { type GraphQLSchema, parse, validate } from 'graphql';
import { compileCost } from '../../gateway/cost.ts';
import { type CostDirectives, readCostDirectives } from '../../gateway/cost-directives.ts';
import { fragmentsOf, operationOf } from '../../gateway/execution/fields.ts';
import { LIMITS } from '../../gateway/limits.ts';

interface Graph {
  schema: GraphQLSchema;
  costs: CostDirectives;
}

/** A supergraph composed from one subgraph's SDL. */
function composed(sdl: string, imports = '"@key", "@cost", "@listSize", "@shareable"'): Graph {
  const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}])`;
  const { errors, supergraphSdl } = composeServices([
    { name: 'a', url: 'http://a.invalid', typeDefs: parse(`${link}\n${sdl}`) },
  ]);
  if (!supergraphSdl) throw new Error(JSON.stringify(errors?.map(({ message }) => message)));
  return read(supergraphSdl);
}
const read = (sdl: string): Graph => ({
  schema: Supergraph.build(sdl).apiSchema().toGraphQLJSSchema(),
  costs: readCostDirectives(sdl),
});

function costOf({ schema, costs }: Graph, query: string, variables: Record<string, unknown> = {}): number {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  return compileCost(schema, costs, fragmentsOf(document), operationOf(document))(variables);
}

const CONNECTIONS = `
  type Query {
    shops(first: Int = 5): ShopConnection @listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"])
    shop: Shop
    all: [Shop]
    some: [Shop] @listSize(assumedSize: 3)
    windowed(first: Int, last: Int): [Shop] @listSize(slicingArguments: ["first", "last"])
    dear: Int @cost(weight: 25)
    names: [String]
    found: [Thing] @listSize(assumedSize: 10)
  }
  type Mutation { open(input: Search, many: [Search!]): Shop  close: Int @cost(weight: 40) }
  input Search { first: Int  text: String @cost(weight: 4) }
  union Thing = Shop | Clerk
  type ShopConnection { edges: [Edge] nodes: [Shop] total: Int @cost(weight: 7) }
  type Edge { cursor: String node: Shop }
  type Shop { id: ID! name: String clerks(first: Int! = 10): [Clerk] @listSize(slicingArguments: ["first"]) safe: Safe }
  type Clerk { id: ID! shop: Shop }
  type Safe @cost(weight: 50) { sum: Int }
`;

describe('What an operation costs', () => {
  const graph = composed(CONNECTIONS);

  test.each<[string, string, number]>([
    ['an object costs 1 and its scalars nothing', '{ shop { id name } }', 1],
    ['a type name costs nothing', '{ __typename shop { __typename } }', 1],
    ['a page costs itself and what its argument asks for', '{ shops(first: 20) { nodes { id } } }', 21],
    ['a page without argument costs its default', '{ shops { nodes { id } } }', 6],
    ['an edge costs as an object does', '{ shops(first: 20) { edges { node { id } } } }', 41],
    ['pages within pages multiply', '{ shops(first: 20) { nodes { clerks(first: 30) { id } } } }', 1 + 20 * 31],
    [
      'the same through fragments',
      'fragment N on ShopConnection { ...M } fragment M on ShopConnection { nodes { ...S } } fragment S on Shop { clerks(first: 30) { id } } { shops(first: 20) { ...N } }',
      1 + 20 * 31,
    ],
    ['a field of a page that is no list of it costs once', '{ shops(first: 20) { total } }', 1 + 7],
    ['a list nobody sized is taken to hold ten', '{ all { id } }', 10],
    ['a list with an assumed size holds that', '{ some { id } }', 3],
    ['a list of scalars costs nothing', '{ names }', 0],
    ['a weight stands for a field', '{ dear }', 25],
    ['a weight stands for a type', '{ shop { safe { sum } } }', 51],
    ['a mutation costs ten', 'mutation { open { id } }', 10],
    ['a mutation with a weight costs that', 'mutation { close }', 40],
    [
      'input objects cost, and so do their weighed fields',
      'mutation { open(many: [{ first: 1 }, { text: "x" }]) { id } }',
      10 + 2 + 4,
    ],
    [
      'of fragments on several types the dearest counts',
      '{ found { ... on Shop { clerks(first: 5) { id } } ... on Clerk { shop { id } } } }',
      10 * (1 + 5),
    ],
    ['what is skipped is free', '{ shop @skip(if: true) { id } dear @include(if: false) }', 0],
    ['the schema costs the same however much is asked', '{ __schema { types { name } } }', 100],
  ])('%s', (_, query, cost) => {
    expect(costOf(graph, query)).toBe(cost);
  });

  test('page sizes and conditions in variables count as they are sent', () => {
    const query =
      'query($n: Int, $m: Int!, $in: Boolean = true) { shops(first: $n) { nodes { clerks(first: $m) { id } } } dear @include(if: $in) }';
    expect(costOf(graph, query, { n: 100, m: 100, in: true })).toBe(1 + 100 * 101 + 25);
    expect(costOf(graph, query, { n: 2, m: 3, in: false })).toBe(1 + 2 * 4);
    expect(costOf(graph, query, { m: 3, in: false })).toBe(1 + 5 * 4);
    expect(costOf(graph, query, { n: null, m: 3, in: false })).toBe(1 + 5 * 4);
    expect(costOf(graph, query, { n: -7, m: 0, in: false })).toBe(1 + 1 * 2);
    expect(
      costOf(graph, 'mutation($many: [Search!]) { open(many: $many) { id } }', { many: [{ text: 'a' }, {}, {}] }),
    ).toBe(10 + 3 + 4);
  });

  test('where exactly one slicing argument is asked for, none or two are refused', () => {
    expect(costOf(graph, '{ windowed(last: 4) { id } }')).toBe(4);
    expect(() => costOf(graph, '{ windowed { id } }')).toThrow('windowed takes exactly one of first, last.');
    expect(() => costOf(graph, 'query($n: Int) { windowed(first: 1, last: $n) { id } }', { n: 2 })).toThrow(
      'windowed takes exactly one of first, last.',
    );
  });

  test('directives under other names are found by the specification they are linked from', () => {
    const renamed = composed(
      'type Query { a: Int @price(weight: 9)  b: [T] @howMany(assumedSize: 4) } type T { x: Int }',
      '{ name: "@cost", as: "@price" }, { name: "@listSize", as: "@howMany" }',
    );
    expect(costOf(renamed, '{ a b { x } }')).toBe(9 + 4);
    const unnamed = composed(
      'type Query { a: Int @federation__cost(weight: 9)  b: [T] @federation__listSize(assumedSize: 4) } type T { x: Int }',
      '"@key"',
    );
    expect(costOf(unnamed, '{ a b { x } }')).toBe(9 + 4);
  });

  test('a graph that says nothing about costs is priced by what its arguments look like', () => {
    const silent = composed(
      'type Query { page(first: Int): C  top(limit: Int = 3): [T]  all: [T]  one(first: Int): T } type C { nodes: [T] } type T { x: Int }',
      '"@key"',
    );
    expect(silent.costs.sizes.size + silent.costs.weights.size).toBe(0);
    expect(costOf(silent, '{ page(first: 50) { nodes { x } } }')).toBe(51);
    expect(costOf(silent, '{ top { x } all { x } one(first: 50) { x } }')).toBe(3 + 10 + 1);
  });

  test('a document of fragments within fragments is priced in the time it takes to read it', () => {
    const levels = Array.from({ length: 200 }, (_, i) => `fragment F${i} on Shop { ...F${i + 1} ...F${i + 1} }`).join(
      ' ',
    );
    const started = performance.now();
    const bomb = `{ shop { ...F0 } } ${levels} fragment F200 on Shop { clerks { id } }`;
    expect(costOf(graph, bomb)).toBeGreaterThan(2 ** 200);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('Our own graph', () => {
  const graph = read(readFileSync(new URL('../../schema/supergraph.graphql', import.meta.url), 'utf8'));

  test('every page of every list says that it holds as many entries as are asked for', () => {
    const pages = [...graph.costs.sizes].filter(([, { slicingArguments }]) => slicingArguments?.includes('first'));
    expect(pages.length).toBeGreaterThan(20);
    expect(costOf(graph, '{ customers(first: 40) { nodes { id } } }')).toBe(41);
    expect(costOf(graph, '{ customers { edges { node { id } } } }')).toBe(51);
  });

  test('the dearest screen of a portal is far below the limit, and a page of a hundred in a page of a hundred above it', () => {
    const screen = `{ customers(first: 100) { nodes { name balance { amountMinor }
      services(first: 3) { nodes { number plan { code } } } openTicketCount contacts { displayName } } } }`;
    expect(costOf(graph, screen)).toBeLessThan(LIMITS.cost / 3);
    const deep = '{ customers(first: 100) { nodes { services(first: 100) { nodes { number } } } } }';
    expect(costOf(graph, deep)).toBeGreaterThan(LIMITS.cost);
  });

  test('to try a password costs more than to read a row', () => {
    const signIn = 'mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }';
    expect(costOf(graph, signIn, { input: { email: 'a', password: 'b' } })).toBe(30 + 1 + 1);
  });
});
