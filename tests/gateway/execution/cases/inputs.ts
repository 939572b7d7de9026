import type { Data } from '../federation.ts';
import type { Case } from './case.ts';

const tell = (args: Data) => JSON.stringify(args);

/** Counts what was run, so that the order shows. */
function counter() {
  let count = 0;
  return (args: Data) => ({ type: 'Step', read: (field: string) => (field === 'at' ? ++count : tell(args)) });
}

export const inputCases: readonly Case[] = [
  {
    name: 'An input means what every domain that takes it agrees on',
    subgraphs: {
      a: 'type Query { a(filter: UsersFilter!): String @shareable } input UsersFilter { offset: Int first: Int! = 3 only: [Kind!] }  enum Kind { A B }',
      b: 'type Query { b(filter: UsersFilter): String } input UsersFilter { first: Int! = 3 only: [Kind!] inner: Inner } input Inner { x: Int } enum Kind { A B }',
    },
    things: {},
    Query: { a: tell, b: tell },
    requests: [
      '{ a(filter: { first: 1 }) b(filter: { only: [B, A] }) }',
      {
        query: 'query ($f: UsersFilter!, $k: [Kind!] = [A]) { a(filter: $f) b(filter: { first: 2, only: $k }) }',
        variables: { f: { only: 'B' } },
      },
    ],
  },
  {
    name: 'An enum shows the values every domain may return',
    subgraphs: {
      a: 'type Query { users: [User!]! } enum Type { ANONYMOUS REGISTERED } type User @key(fields: "id") { id: ID! type: Type @shareable }',
      b: 'type Query { usersB: [User!]! byType(type: Mode!): String } enum Type { ANONYMOUS REGISTERED VIP } enum Mode { X } type User @key(fields: "id") { id: ID! type: Type @shareable kind: Type! }',
    },
    things: { u: { type: 'User', id: 'u', kind: 'VIP' } },
    Query: { users: ['@u'], usersB: ['@u'], byType: tell },
    requests: ['{ users { id kind } usersB { kind } }', '{ byType(type: X) }'],
  },
  {
    name: 'Arguments and variables arrive as the client gave them, or not at all',
    subgraphs: {
      a: 'scalar JSON type Query { echo(n: Int = 1, s: String, l: [Int!], j: JSON, nested: In): String thing: Thing } input In { a: Int = 5, b: In } type Thing @key(fields: "id") { id: ID! }',
      b: 'scalar JSON type Thing @key(fields: "id") { id: ID! echo(n: Int = 1, s: String, l: [Int!], j: JSON, m: Int! = 4): String }',
    },
    things: { t: { type: 'Thing', id: 't', echo: tell } },
    Query: { echo: tell, thing: '@t' },
    requests: [
      '{ echo }',
      {
        query: 'query ($n: Int, $s: String, $l: [Int!]) { echo(n: $n, s: $s, l: $l) thing { echo(n: $n, l: $l) } }',
        variables: {},
      },
      {
        query:
          'query ($n: Int, $s: String = "d", $l: [Int!] = [1]) { echo(n: $n, s: $s, l: $l) thing { echo(s: $s, n: $n) e: echo(l: $l) } }',
        variables: { n: null, l: 7 },
      },
      { query: 'query ($m: Int) { thing { echo(m: $m) } }', variables: {} },
      { query: 'query ($m: Int) { thing { echo(m: $m) } }', variables: { m: null } },
      {
        query: 'query ($j: JSON) { thing { echo(j: $j) f: echo(j: {a: [1, {b: null}], c: "x"}) } }',
        variables: { j: { deep: [{ id: 1 }], constructor: null } },
      },
      { query: 'query ($a: Int) { echo(nested: { a: $a, b: { b: { a: 2 } } }) }', variables: {} },
      {
        query: 'query ($used: Int, $other: String) { a: echo(n: $used) thing { b: echo(s: $other) } }',
        variables: { used: 3, other: 'ü "q" \\ 😀', stray: 1 },
      },
      '{ thing { a: echo(s: """\n  block "text"\n  """) b: echo(s: "\\u00e9\\n") } }',
    ],
  },
  {
    name: 'What is left out is neither asked for nor shown',
    subgraphs: {
      a: 'type Query { product: Product! } type Product @key(fields: "id") { id: ID! price: Float! }',
      b: 'type Product @key(fields: "id") { id: ID! price: Float! @external isExpensive: Boolean! @requires(fields: "price") included: Boolean! skipped: Boolean! }',
    },
    things: {
      p: {
        type: 'Product',
        id: 'p',
        price: 1000,
        isExpensive: (_: Data, input: (field: string) => unknown) => Number(input('price')) > 500,
        included: true,
        skipped: new Error('was asked for'),
      },
    },
    Query: { product: '@p' },
    requests: [
      {
        query:
          'query ($no: Boolean = false) { product { price included @include(if: $no) skipped @include(if: $no) } }',
        variables: {},
      },
      {
        query: 'query ($yes: Boolean!) { product { price isExpensive @include(if: $yes) skipped @skip(if: $yes) } }',
        variables: { yes: true },
      },
      { query: 'query ($no: Boolean!) { product @include(if: $no) { price } __typename }', variables: { no: false } },
      {
        query:
          'query ($yes: Boolean!) { ... @skip(if: $yes) { product { skipped } } ... on Query @include(if: $yes) { product { ...P @skip(if: true) } } } fragment P on Product { skipped }',
        variables: { yes: true },
      },
      {
        query: 'query ($no: Boolean!) { product @skip(if: $no) { included @include(if: $no) } }',
        variables: { no: false },
      },
      {
        query:
          'query ($no: Boolean!) { product { ...P @include(if: $no) ...P } } fragment P on Product { isExpensive id: price @skip(if: $no) }',
        variables: { no: false },
      },
      '{ product { included @skip(if: true) @include(if: true) } }',
      '{ product @skip(if: true) { id } }',
    ],
  },
  {
    name: 'Mutations run in the order they stand in, each once, whichever domain runs them',
    subgraphs: {
      a: 'type Query { q: Int } type Mutation { a(n: Int): Step b: Step } type Step @shareable { at: Int! given: String }',
      b: 'type Mutation { c(n: Int): Step } type Step @shareable { at: Int! given: String }',
    },
    things: {},
    Mutation: (() => {
      const run = counter();
      return { a: run, b: run, c: run };
    })() as never,
    requests: [
      'mutation { x: a(n: 1) { given } c { given } y: a(n: 2) { given } b { given } z: c(n: 3) { given } }',
      'mutation { ...F b { given } ... on Mutation { c { given } a(n: 5) { given } } } fragment F on Mutation { x: a { given } c { g: given } }',
    ],
  },
  {
    name: 'The schema is told beside the data, under the client’s names',
    subgraphs: {
      a: 'type Query { user: User } type User @key(fields: "id") { id: ID! }',
      b: 'type User @key(fields: "id") { id: ID! name(upper: Boolean = false): String }',
    },
    things: { u: { type: 'User', id: 'u', name: 'n' } },
    Query: { user: '@u' },
    requests: [
      '{ __schema { queryType { name } } user { name } }',
      {
        query:
          'query ($t: String!, $no: Boolean!) { user: __type(name: $t) { fields { name args { defaultValue } } } u: user { name } ... @include(if: $no) { __schema { types { name } } } }',
        variables: { t: 'User', no: false },
      },
      '{ id: __type(name: "User") { kind } ...S __typename } fragment S on Query { __schema { q: queryType { fields { name: __typename } } } user { id } __type(name: "Nothing") { name } }',
      '{ __schema { directives { name @skip(if: true) } } }',
    ],
  },
  {
    name: 'Names that mean something to JavaScript mean nothing here',
    subgraphs: {
      a: 'type Query { o: O constructor: O } type O @key(fields: "id") { id: ID! constructor: String valueOf: O }',
      b: 'type O @key(fields: "id") { id: ID! toString: Int hasOwnProperty: [O] }',
    },
    things: {
      o: {
        type: 'O',
        id: 'o',
        constructor: 'c' as never,
        valueOf: null as never,
        toString: 4 as never,
        hasOwnProperty: ['@p'] as never,
      },
      p: {
        type: 'O',
        id: 'p',
        constructor: null as never,
        valueOf: '@o' as never,
        toString: null as never,
        hasOwnProperty: null as never,
      },
    },
    Query: { o: '@o', constructor: '@p' as never },
    requests: [
      '{ o { toString hasOwnProperty { toString valueOf { toString } } } constructor { constructor valueOf { id } } }',
      '{ o { __proto__: toString } __proto__: o { __proto__: hasOwnProperty { __proto__: id constructor: toString } prototype: id } }',
    ],
  },
  {
    name: 'One thing at many places is looked up once and shown as asked at each',
    subgraphs: {
      a: 'type Query { list: [Ticket!]! one(id: ID!): Ticket } type Ticket { id: ID! owner: User helper: User watchers: [[User]] } type User @key(fields: "id") { id: ID! }',
      b: 'type User @key(fields: "id") { id: ID! name(upper: Boolean = false): String boss: User address: Address } type Address { city: String }',
      c: 'type User @key(fields: "id") { id: ID! score(scale: Int = 1): Int second: Second } type Second { x: Int }',
    },
    things: {
      t1: { type: 'Ticket', id: '1', owner: '@u', helper: '@u', watchers: [['@u', '@v'], null, ['@u']] },
      t2: { type: 'Ticket', id: '2', owner: '@v', helper: '@u', watchers: null },
      u: {
        type: 'User',
        id: 'u',
        name: ({ upper }: Data) => (upper ? 'UMA' : 'uma'),
        boss: '@v',
        address: '@home',
        score: ({ scale }: Data) => Number(scale ?? 1) * 3,
        second: '@x',
      },
      v: { type: 'User', id: 'v', name: null, boss: '@v', address: null, score: null, second: null },
      home: { type: 'Address', city: 'Town' },
      x: { type: 'Second', x: 1 },
    },
    Query: { list: ['@t1', '@t2', '@t1'], one: ({ id }: Data) => `@t${id}` },
    requests: [
      '{ list { owner { name boss { score name boss { score(scale: 2) } } address { city } second { x } } helper { n: name(upper: true) score boss { address { city } id } } watchers { score(scale: 3) name } } }',
      '{ a: one(id: "1") { owner { name(upper: true) boss { name } } } b: one(id: "2") { owner { name boss { name: id } } helper { boss: name address { city: __typename } } } }',
    ],
  },
  {
    name: 'What is not for clients still works between domains',
    subgraphs: {
      a: 'type Query { users: [User!]! } type User @key(fields: "secret") { secret: ID! @inaccessible id: ID @shareable }',
      b: 'type User @key(fields: "secret") { secret: ID! @inaccessible friends(kind: Kind = ALL): [User!]! } enum Kind { ALL SOME @inaccessible }',
    },
    things: {
      u: { type: 'User', id: 'u', secret: 's', friends: ['@v'] },
      v: { type: 'User', id: 'v', secret: 't', friends: [] },
    },
    Query: { users: ['@u', '@v'] },
    requests: ['{ users { friends { id friends { id } } } }', '{ users { secret: id friends(kind: ALL) { id } } }'],
  },
];
