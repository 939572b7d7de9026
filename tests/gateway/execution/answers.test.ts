import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FetchNode } from '@apollo/query-planner';
import { pino } from 'pino';
import { manageSupergraph } from '../../../gateway/supergraph.ts';
import { ClientError } from '../../../schema/errors.ts';
import { type Answer, answer, compose, type Data, federate } from './federation.ts';
import { part, type Story, worldOfStory } from './story.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])\n';

const story: Story = {
  subgraphs: {
    crm: 'type Query { customers: [Customer!]! first: Customer } type Customer @key(fields: "id") { id: ID! name: String weight: Int }',
    billing:
      'type Query { total: Int } type Customer @key(fields: "id") { id: ID! balance: Int limit: Int! weight: Int @external fee: Int @requires(fields: "weight") }',
  },
  things: {
    ada: {
      type: 'Customer',
      id: '1',
      name: 'Ada',
      balance: 5,
      limit: 9,
      weight: 2,
      fee: (_: Data, input: (field: string) => unknown) => Number(input('weight')) * 10,
    },
    bob: {
      type: 'Customer',
      id: '2',
      name: 'Bob',
      balance: 6,
      limit: 9,
      weight: 3,
      fee: (_: Data, input: (field: string) => unknown) => Number(input('weight')) * 10,
    },
  },
  Query: { customers: ['@ada', '@bob', '@ada'], first: '@bob', total: 11 },
};

const federation = federate(worldOfStory(story));

/** Answers a query while something stands between the executor and its subgraphs. */
function answerWith(
  query: string,
  between: (fetch: FetchNode, variables: Data, ask: typeof federation.ask) => unknown,
  variables?: Data,
): Promise<Answer> {
  const ask = async (fetch: FetchNode, given: Data) => between(fetch, given, federation.ask) as never;
  return answer({ ...federation, ask }, { query, variables });
}

/** Answers a query with billing saying something of its own. */
const withBilling = (query: string, says: unknown) =>
  answerWith(query, (fetch, variables, ask) => (fetch.serviceName === 'billing' ? says : ask(fetch, variables)));

const paths = ({ errors }: Answer) => errors.map(({ path }) => path?.join('.') ?? 'nowhere');

test('A subgraph that is away costs its own fields only, and each says so', async () => {
  const told = await answerWith(
    '{ customers { name balance b: balance } total first { fee name } }',
    (fetch, variables, ask) => {
      if (fetch.serviceName === 'billing') throw new ClientError('SUBGRAPH_UNAVAILABLE', 'Away.');
      return ask(fetch, variables);
    },
  );
  expect(told.data).toEqual({
    customers: [
      { name: 'Ada', balance: null, b: null },
      { name: 'Bob', balance: null, b: null },
      { name: 'Ada', balance: null, b: null },
    ],
    total: null,
    first: { fee: null, name: 'Bob' },
  });
  expect(paths(told)).toEqual([
    'customers.0.balance',
    'customers.0.b',
    'customers.1.balance',
    'customers.1.b',
    'customers.2.balance',
    'customers.2.b',
    'total',
    'first.fee',
  ]);
  expect(new Set(told.errors.map(({ extensions }) => extensions?.code))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
});

test.each([
  ['nothing', {}],
  ['no data', { data: null }],
  ['no data and no errors', { data: null, errors: null }],
  ['text for data', { data: 'oops', errors: 'oops' }],
  ['no entities', { data: {} }],
  ['too few entities', { data: { _entities: [] } }],
  ['text for entities', { data: { _entities: 'oops' } }],
  ['text for an entity', { data: { _entities: ['oops', 'oops'] } }],
  ['an error without a path', { data: null, errors: [{ message: 'oops' }] }],
  ['errors that are none', { data: null, errors: [null, 'oops', { message: 7, path: 'oops', extensions: 'oops' }] }],
])('A subgraph that answers %s is told as one that is away', async (_what, says) => {
  const told = await withBilling('{ customers { name balance } }', says);
  expect(told.data).toEqual({ customers: ['Ada', 'Bob', 'Ada'].map((name) => ({ name, balance: null })) });
  expect(paths(told)).toEqual(['customers.0.balance', 'customers.1.balance', 'customers.2.balance']);
});

test('A subgraph that answers in the wrong types is not believed', async () => {
  const told = await withBilling('{ customers { balance limit } }', {
    data: {
      _entities: [
        { balance: 'much', limit: 1 },
        { balance: [1], limit: 2 },
      ],
    },
  });
  expect(told.data).toEqual({
    customers: [
      { balance: null, limit: 1 },
      { balance: null, limit: 2 },
      { balance: null, limit: 1 },
    ],
  });
  expect(paths(told)).toEqual(['customers.0.balance', 'customers.1.balance', 'customers.2.balance']);
});

test('An error about nothing that is missing is told without a place', async () => {
  const told = await withBilling('{ first { balance } }', {
    data: { _entities: [{ balance: 1 }] },
    errors: [{ message: 'odd' }, { message: 'odder', path: ['_entities', 0, 'balance'] }],
  });
  expect(told).toEqual({
    data: { first: { balance: 1 } },
    errors: [expect.objectContaining({ message: 'odd' }), expect.objectContaining({ message: 'odder' })],
  });
  expect(paths(told)).toEqual(['nowhere', 'nowhere']);
});

test('What a subgraph slips in does not reach an object’s prototype', async () => {
  const says = JSON.parse('{"data": {"_entities": [{"__proto__": {"balance": 7}, "constructor": null, "limit": 1}]}}');
  const told = await withBilling('{ first { balance limit } }', says);
  expect(told.data).toEqual({ first: { balance: null, limit: 1 } });
  expect(({} as Data).balance).toBeUndefined();
});

test('A field worked out without something that failed is not passed off as right', async () => {
  const fails = (fetch: FetchNode, variables: Data, ask: typeof federation.ask) =>
    fetch.serviceName === 'crm'
      ? {
          data: { first: { __typename: 'Customer', id: '2', weight: null } },
          errors: [{ message: 'no scales', path: ['first', 'weight'] }],
        }
      : ask(fetch, variables);
  const told = await answerWith('{ first { fee } }', fails);
  expect(told.data).toEqual({ first: { fee: 0 } });
  expect(told.errors).toEqual([expect.objectContaining({ message: 'no scales' })]);
});

test('What cannot be asked for because something before it failed says why', async () => {
  const fails = (fetch: FetchNode, variables: Data, ask: typeof federation.ask) =>
    fetch.serviceName === 'crm' ? { data: { first: { __typename: 'Customer', name: 'Bob' } } } : ask(fetch, variables);
  expect((await answerWith('{ first { name fee } }', fails)).data).toEqual({ first: { name: 'Bob', fee: null } });
});

describe('Where domains share a value', () => {
  const shared = federate(
    worldOfStory({
      subgraphs: {
        a: 'type Query { line: Line } type Line @key(fields: "id") { id: ID! rate: Rate @shareable rates: [Rate] @shareable sure: Int @shareable } type Rate { down: Int }',
        b: 'type Line @key(fields: "id") { id: ID! rate: Rate @shareable rates: [Rate] @shareable sure: Int! @shareable other: Int } type Rate { up: Int }',
        c: 'type Line @key(fields: "id") { id: ID! rate: Rate @external rates: [Rate] @external sum: String @requires(fields: "rate { up down }") sums: String @requires(fields: "rates { up }") } type Rate { up: Int @external down: Int @external }',
      },
      things: {
        line: { type: 'Line', id: 'l', rate: '@rate', rates: ['@rate'], sure: 1, other: 2, sum: 'known', sums: 'all' },
        rate: { type: 'Rate', down: null, up: 4 },
      },
      Query: { line: '@line' },
    }),
  );
  const answerShared = (query: string, says: unknown) =>
    answer(
      {
        ...shared,
        ask: async (fetch, variables) => (fetch.serviceName === 'b' ? (says as never) : shared.ask(fetch, variables)),
      },
      { query },
    );

  test('one that is away takes nothing from what the others say of it', async () => {
    const told = await answerShared('{ line { rate { down up } } }', { data: null });
    expect(told.data).toEqual({ line: { rate: { down: null, up: null } } });
    expect(paths(told)).toEqual(['line.rate.up']);
  });

  test('nothing is worked out from a part of it', async () => {
    const told = await answerShared('{ line { sum sums } }', { data: null });
    expect(told.data).toEqual({ line: { sum: null, sums: null } });
    expect(paths(told)).toEqual(['line.sum', 'line.sums']);
  });

  test('a field that one’s stricter schema cost its value says so at its own place', async () => {
    const told = await answerShared('{ line { other sure } }', {
      data: { _entities: [null] },
      errors: [{ message: 'broken', path: ['_entities', 0, 'sure'] }],
    });
    expect(told.data?.line).toMatchObject({ other: null });
    expect(paths(told)).toContain('line.other');
  });
});

describe('What a subgraph does not know', () => {
  const nobody = { data: { _entities: [null] } };
  const known = { __typename: 'Customer', balance: 1, limit: 1 };

  test('is missing as a whole where it may be, and that is no error', async () => {
    expect(await withBilling('{ first { name limit } }', nobody)).toEqual({ data: { first: null }, errors: [] });
  });

  test('keeps what another knows of it, if nothing is asked that must be there', async () => {
    const told = await withBilling('{ first { name balance } }', nobody);
    expect(told).toEqual({ data: { first: { name: 'Bob', balance: null } }, errors: [] });
  });

  test('is an error of ours where it must be', async () => {
    const told = await withBilling('{ customers { name limit } }', { data: { _entities: [known, null] } });
    expect(told.data).toBeNull();
    expect(told.errors).toEqual([expect.objectContaining({ extensions: { code: 'INTERNAL' } })]);
    expect(paths(told)).toEqual(['customers.1.limit']);
  });

  test('is told with the reason there is one', async () => {
    const error = { message: 'Not you.', path: ['_entities', 0, 'limit'], extensions: { code: 'FORBIDDEN' } };
    const told = await withBilling('{ first { name limit } }', { ...nobody, errors: [error] });
    expect(told.data).toEqual({ first: null });
    expect(told.errors).toEqual([expect.objectContaining({ extensions: { code: 'FORBIDDEN' } })]);
  });
});

test('More things than a domain takes at once are asked for in parts', async () => {
  const many = 2_500;
  const rows = Array.from({ length: many }, (_, i) => ({ __typename: 'Customer', id: String(i) }));
  const sizes: number[] = [];
  const { data, errors } = await answerWith('{ customers { balance } }', (fetch, { representations }) => {
    if (fetch.serviceName === 'crm') return { data: { customers: structuredClone(rows) } };
    const asked = representations as { id: string }[];
    sizes.push(asked.length);
    return { data: { _entities: asked.map(({ id }) => ({ __typename: 'Customer', balance: Number(id) })) } };
  });
  expect(errors).toEqual([]);
  expect(sizes).toEqual([1_000, 1_000, 500]);
  expect(data).toEqual({ customers: rows.map(({ id }) => ({ balance: Number(id) })) });
});

test('The same thing at many places is asked for once', async () => {
  const asked: unknown[] = [];
  await answerWith('{ customers { balance } }', (fetch, variables, ask) => {
    if (variables.representations) asked.push(variables.representations);
    return ask(fetch, variables);
  });
  expect(asked).toEqual([
    [
      { __typename: 'Customer', id: '1' },
      { __typename: 'Customer', id: '2' },
    ],
  ]);
});

test('Nobody is asked for what is left out, nor for the name of a root type', async () => {
  const asked: string[] = [];
  const note = (fetch: FetchNode, variables: Data, ask: typeof federation.ask) => {
    asked.push(fetch.serviceName);
    return ask(fetch, variables);
  };
  expect((await answerWith('{ __typename t: __typename }', note)).data).toEqual({ __typename: 'Query', t: 'Query' });
  expect(
    (
      await answerWith(
        'query ($no: Boolean!) { total @include(if: $no) customers { name ... @include(if: $no) { balance } } }',
        note,
        { no: false },
      )
    ).data,
  ).toEqual({
    customers: [{ name: 'Ada' }, { name: 'Bob' }, { name: 'Ada' }],
  });
  expect(asked).toEqual(['crm']);
});

test('A condition that is null is refused', async () => {
  const told = await answerWith(
    'query ($maybe: Boolean = true) { total @include(if: $maybe) }',
    () => ({ data: { total: 1 } }),
    { maybe: null },
  );
  expect(told.data).toBeUndefined();
  expect(told.errors[0]?.extensions?.code).toBe('BAD_USER_INPUT');
});

test('A fault of ours is not passed off as a subgraph’s', async () => {
  await expect(answerWith('{ total }', () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
});

describe('A supergraph is loaded', () => {
  const fine = compose([{ name: 'a', sdl: `${LINK}type Query { one: Int }` }]);
  const wrong = compose([
    {
      name: 'a',
      sdl: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@context", "@fromContext"])
        type Query { one: Shop } type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String! thing: Thing }
        type Thing @key(fields: "id") { id: ID! price(currency: String @fromContext(field: "$shop { currency }")): Int }`,
    },
  ]);
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dotmac-supergraph-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  test('but not one with arguments that cannot be given rightly', async () => {
    const file = join(dir, 'wrong.graphql');
    await writeFile(file, wrong);
    await expect(manageSupergraph(file, pino({ level: 'silent' }))).rejects.toThrow(/context.*is unsupported/);
  });

  test('and the last good one stays when such a one comes after it', async () => {
    const file = join(dir, 'fine.graphql');
    await writeFile(file, fine);
    const manager = await manageSupergraph(file, pino({ level: 'silent' }));
    const before = manager.current();
    await writeFile(file, wrong);
    expect(await manager.reload()).toBe(false);
    expect(manager.current()).toBe(before);
    await manager.close();
  });
});

describe('What a field requires with arguments', () => {
  const inCurrency = (args: Data) => (args.currency === 'EUR' ? 9 : args.currency === 'USD' ? 10 : 1);
  const shop = federate(
    worldOfStory({
      subgraphs: {
        catalogue:
          'type Query { products: [Product] } type Product @key(fields: "upc") { upc: ID! price(currency: String = "NGN"): Int category: Category } type Category { fee(currency: String!): Int }',
        stock: `type Product @key(fields: "upc") { upc: ID! price(currency: String = "NGN"): Int @external category: Category @external
          dollars: Int @requires(fields: "price(currency: \\"USD\\")") euros: Int @requires(fields: "price(currency: \\"EUR\\")")
          naira: Int @requires(fields: "price") inStock: Boolean
          fees: Int @requires(fields: "price(currency: \\"EUR\\") category { fee(currency: \\"USD\\") }") } type Category { fee(currency: String!): Int @external }`,
      },
      things: {
        table: {
          type: 'Product',
          upc: 't',
          price: inCurrency,
          category: '@wood',
          inStock: true,
          dollars: (_: Data, input: (field: string) => unknown) => Number(input('price')) * 100,
          euros: (_: Data, input: (field: string) => unknown) => Number(input('price')) * 100,
          naira: (_: Data, input: (field: string) => unknown) => Number(input('price')) * 100,
          fees: (_: Data, input: (field: string) => unknown) =>
            Number(input('price')) + Number(part(input('category'), 'fee')),
        },
        wood: { type: 'Category', fee: inCurrency },
      },
      Query: { products: ['@table'] },
    }),
  );

  test.each([
    ['is asked for with them', '{ products { euros } }', { euros: 900 }],
    ['is not what the client asks for', '{ products { price(currency: "USD") euros } }', { price: 10, euros: 900 }],
    [
      'may be required with others beside it',
      '{ products { dollars euros inStock fees naira price } }',
      { dollars: 1000, euros: 900, inStock: true, fees: 19, naira: 100, price: 1 },
    ],
  ])('%s', async (_what, query, product) => {
    expect(await answer(shop, { query })).toEqual({ data: { products: [product] }, errors: [] });
    expect(shop.violations.splice(0)).toEqual([]);
  });

  test('is hidden from clients', async () => {
    const { errors } = await answer(shop, { query: '{ products { price_required_1 } }' }).catch((errors) => ({
      errors,
    }));
    expect(errors[0]?.message).toMatch('Cannot query field "price_required_1"');
  });
});

test('A plan that works a field out without what it requires is refused, not run', async () => {
  const chained = federate(
    worldOfStory({
      subgraphs: {
        a: 'type Query { it: It } type It @key(fields: "id") { id: ID! base: Int @external double: Int @requires(fields: "base") }',
        b: 'type It @key(fields: "id") { id: ID! double: Int @external label: String @requires(fields: "double") }',
        c: 'type It @key(fields: "id") { id: ID! base: Int }',
      },
      things: {
        it: {
          type: 'It',
          id: '1',
          base: 2,
          double: (_: Data, input: (field: string) => unknown) => Number(part(input('base'), '')) * 2,
          label: 'x',
        },
      },
      Query: { it: '@it' },
    }),
  );
  expect((await answer(chained, { query: '{ it { double } }' })).data).toEqual({ it: { double: 4 } });
  await expect(answer(chained, { query: '{ it { label } }' })).rejects.toThrow(
    'It.double cannot be worked out for this operation.',
  );
});
