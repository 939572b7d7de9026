import type { Case } from './case.ts';

export const entityCases: readonly Case[] = [
  {
    name: 'A customer known to two domains is one customer',
    subgraphs: {
      people:
        'type Query { customer: Customer } type Customer @key(fields: "id") { id: ID! email: String! @shareable }',
      names: 'type Customer @key(fields: "email") @key(fields: "id") { id: ID! email: String! name: String }',
    },
    things: { ada: { type: 'Customer', id: '1', email: 'ada@example.net', name: 'Ada' } },
    Query: { customer: '@ada' },
    requests: ['{ customer { id name } }', '{ customer { name email id } }', '{ customer { name } }'],
  },
  {
    name: 'Keys lead from domain to domain until the field is found',
    subgraphs: {
      offers:
        'type Query { top: Offers } type Offers @key(fields: "items { id }") { items: [Offer!]! } type Offer @key(fields: "id") { id: ID! }',
      links:
        'type Offers @key(fields: "items { id pid }") { items: [Offer!]! first: Offer @shareable } type Offer @key(fields: "id pid") @key(fields: "id") { id: ID! pid: ID }',
      prices:
        'type Offers @key(fields: "items { id pid }") { items: [Offer!]! chosen: Offer first: Offer @shareable } type Offer @key(fields: "id pid") { id: ID! pid: ID price: Price category: Category } type Category @key(fields: "id tag") { id: ID! tag: String } type Price { amount: Float! }',
    },
    things: {
      all: { type: 'Offers', items: ['@fibre', '@dsl'], first: '@fibre', chosen: '@dsl' },
      fibre: { type: 'Offer', id: 'f', pid: 'pf', price: '@low', category: '@fast' },
      dsl: { type: 'Offer', id: 'd', pid: 'pd', price: '@high', category: '@fast' },
      fast: { type: 'Category', id: 'c', tag: 't' },
      low: { type: 'Price', amount: 9.5 },
      high: { type: 'Price', amount: 12 },
    },
    Query: { top: '@all' },
    requests: [
      '{ top { items { id pid } } }',
      '{ top { chosen { price { amount } } first { id pid price { amount } } items { price { amount } category { tag id } } } }',
    ],
  },
  {
    name: 'Each domain knows a site by another key',
    subgraphs: {
      a: 'type Query { sites: [Site!]! } type Site @key(fields: "id") { id: ID! pop: String }',
      b: 'type Site @key(fields: "id") @key(fields: "id code") { id: ID! code: String! }',
      c: 'type Site @key(fields: "id code") @key(fields: "ref { area number }") { id: ID! code: String! ref: Ref! } type Ref @shareable { area: String! number: Int! }',
      d: 'type Site @key(fields: "ref { area number }") { ref: Ref! mast: Float } type Ref @shareable { area: String! number: Int! }',
    },
    things: {
      one: { type: 'Site', id: '1', code: 'x', pop: 'p1', ref: '@r1', mast: 30.5 },
      two: { type: 'Site', id: '2', code: 'y', pop: null, ref: '@r2', mast: null },
      r1: { type: 'Ref', area: 'north', number: 1 },
      r2: { type: 'Ref', area: 'north', number: 2 },
    },
    Query: { sites: ['@one', '@two', '@one'] },
    requests: [
      '{ sites { mast } }',
      '{ sites { pop mast code ref { number } } }',
      '{ a: sites { ref { area } } b: sites { mast m: mast } }',
    ],
  },
  {
    name: 'A key that comes back null leads nowhere and costs nothing else',
    subgraphs: {
      a: 'type Query { shelves: [Shelf!]! } type Shelf { book: Book } type Book @key(fields: "upc") { upc: ID! }',
      b: 'type Book @key(fields: "upc") @key(fields: "id") { id: ID upc: ID! }',
      c: 'type Book @key(fields: "id") { id: ID title: String }',
    },
    things: {
      s1: { type: 'Shelf', book: '@known' },
      s2: { type: 'Shelf', book: '@odd' },
      s3: { type: 'Shelf', book: null },
      known: { type: 'Book', upc: 'u1', id: 'i1', title: 'Found' },
      odd: { type: 'Book', upc: 'u2', id: null, title: null },
    },
    unknown: { c: ['odd'] },
    Query: { shelves: ['@s1', '@s2', '@s3'] },
    requests: ['{ shelves { book { upc title } } }', '{ shelves { book { title } } }'],
  },
  {
    name: 'The parent of a value is looked up again where the value has more to tell',
    subgraphs: {
      a: 'type Query { products: [Product] } type Product @key(fields: "id") { id: ID! }',
      b: 'type Product @key(fields: "id") { id: ID! category: Category @shareable } type Category @shareable { details: String }',
      c: 'type Product @key(fields: "id pid") { id: ID! pid: ID! category: Category @shareable } type Category { details: String @shareable products: Int }',
      d: 'type Product @key(fields: "id") { id: ID! pid: ID! @shareable }',
    },
    things: {
      p1: { type: 'Product', id: '1', pid: 'x1', category: '@c1' },
      p2: { type: 'Product', id: '2', pid: 'x2', category: null },
      c1: { type: 'Category', details: 'Routers', products: 2 },
    },
    Query: { products: ['@p1', '@p2', null] },
    requests: ['{ products { category { details } } }', '{ products { id category { products details } } }'],
  },
  {
    name: 'A value type is put together from the domains that each know a part',
    subgraphs: {
      a: 'type Query { line: Line } type Line @key(fields: "id") { id: ID! rate: Rate @shareable } type Rate { down: Int }',
      b: 'type Line @key(fields: "id") { id: ID! rate: Rate @shareable } type Rate { up: Int steps: [Step!] @shareable } type Step { low: Int }',
      c: 'type Line @key(fields: "id") { id: ID! rate: Rate @shareable } type Rate { steps: [Step!] @shareable } type Step { high: Int! }',
    },
    things: {
      line: { type: 'Line', id: 'l', rate: '@rate' },
      rate: { type: 'Rate', down: 100, up: 40, steps: ['@s1', '@s2'] },
      s1: { type: 'Step', low: 1, high: 2 },
      s2: { type: 'Step', low: 3, high: 4 },
    },
    Query: { line: '@line' },
    requests: ['{ line { rate { up down } } }', '{ line { rate { steps { high low } down steps { l: low } } } }'],
  },
  {
    name: 'A root field several domains share is put together like any value',
    subgraphs: {
      a: 'type Query { plan: Plan! @shareable } type Plan { name: Name! @shareable } type Name { brand: String! }',
      b: 'type Query { plan: Plan! @shareable } type Plan { name: Name! @shareable } type Name { model: String! }',
      c: 'type Query { plan: Plan! @shareable } type Plan @key(fields: "id") { id: ID! price: Price! @shareable name: Name! @shareable } type Price { amount: Int! } type Name { short: String }',
    },
    things: {
      plan: { type: 'Plan', id: '1', name: '@name', price: '@price' },
      name: { type: 'Name', brand: 'Fibra', model: '1000', short: null },
      price: { type: 'Price', amount: 40 },
    },
    Query: { plan: '@plan' },
    requests: [
      '{ plan { name { model brand } price { amount } id } }',
      '{ plan { name { brand short } } again: plan { name { brand: model } } }',
    ],
  },
  {
    name: 'A field taken over by another domain is never asked of the first',
    subgraphs: {
      a: 'type Query { feed: [Post] } type Post @key(fields: "id") { id: ID! createdAt: String! @override(from: "b") }',
      b: 'type Query { posts: [Post] } type Post @key(fields: "id") { id: ID! createdAt: String! body: String }',
    },
    things: {
      p1: { type: 'Post', id: '1', createdAt: 'monday', body: 'x' },
      p2: { type: 'Post', id: '2', createdAt: 'tuesday', body: null },
    },
    Query: { feed: ['@p1'], posts: ['@p2', '@p1'] },
    requests: ['{ feed { createdAt body } posts { id createdAt } }', '{ posts { createdAt } }'],
  },
  {
    name: 'What a place provides is taken there, and looked up everywhere else',
    subgraphs: {
      a: 'type Query { tickets: [Ticket!]! @provides(fields: "owner { name }") mine: [Ticket!]! } type Ticket @key(fields: "id") { id: ID! owner: User @provides(fields: "badge { colour }") } type User @key(fields: "id") { id: ID! name: String @external badge: Badge @external } type Badge { colour: String @external }',
      b: 'type User @key(fields: "id") { id: ID! name: String @shareable badge: Badge @shareable } type Badge { colour: String @shareable size: Int }',
    },
    things: {
      t1: { type: 'Ticket', id: 't1', owner: '@u1' },
      t2: { type: 'Ticket', id: 't2', owner: null },
      u1: { type: 'User', id: 'u1', name: 'Uma', badge: '@gold' },
      gold: { type: 'Badge', colour: 'gold', size: 3 },
    },
    Query: { tickets: ['@t1', '@t2'], mine: ['@t1'] },
    requests: [
      '{ tickets { owner { name badge { colour } } } }',
      '{ mine { owner { name badge { size colour } } } tickets { owner { badge { size } } } }',
    ],
  },
  {
    name: 'A domain of the first federation extends the type of another',
    subgraphs: {
      a1: 'extend type Query { random: User } extend type User @key(fields: "id") { id: ID! @external name: String @external rid: ID }',
      b1: 'extend type Query { user: User } type User @key(fields: "id") { id: ID! name: String! nickname: String }',
    },
    things: { u: { type: 'User', id: 'u1', name: 'Una', rid: 'r1', nickname: 'U' } },
    Query: { random: '@u', user: '@u' },
    requests: ['{ random { id rid } user { id rid name } }', '{ random { name nickname rid } }'],
  },
  {
    name: 'Both federations meet in one type',
    subgraphs: {
      a1: 'type Query { user: User @provides(fields: "name") } extend type User @key(fields: "id") { id: ID! @external name: String @external rid: ID }',
      b: 'type Query { someone: User } type User @key(fields: "id") { id: ID! name: String @shareable nickname: String }',
    },
    things: { u: { type: 'User', id: 'u1', name: 'Una', rid: 'r1', nickname: null } },
    Query: { user: '@u', someone: '@u' },
    requests: ['{ user { id name } someone { rid } }', '{ someone { nickname rid name } user { nickname name } }'],
  },
  {
    name: 'An external field that is really a key is read from the reference',
    subgraphs: {
      price: 'type Query { cheapest: Product } type Product @key(fields: "id") { id: ID! price: Float! }',
      stock: 'extend type Product @key(fields: "id") { id: ID! @external name: String! }',
    },
    things: { p: { type: 'Product', id: 'p1', price: 1.5, name: 'Cable' } },
    Query: { cheapest: '@p' },
    requests: ['{ cheapest { price name } }', '{ cheapest { name id } }'],
  },
  {
    name: 'A domain that cannot be asked for a type still refers to it',
    subgraphs: {
      a: 'type Query { tickets: [Ticket] } type Ticket { id: ID! customer: Customer } type Customer @key(fields: "id", resolvable: false) { id: ID! }',
      b: 'type Customer @key(fields: "id") { id: ID! name: String parent: Customer }',
    },
    things: {
      t: { type: 'Ticket', id: 't', customer: '@c' },
      c: { type: 'Customer', id: 'c', name: 'Co', parent: '@d' },
      d: { type: 'Customer', id: 'd', name: null, parent: null },
    },
    Query: { tickets: ['@t', '@t'] },
    requests: [
      '{ tickets { customer { id } } }',
      '{ tickets { customer { parent { name parent { name } } name id } } }',
    ],
  },
  {
    name: 'An entity leads back to itself through another domain',
    subgraphs: {
      a: 'type Query { device(id: ID!): Device } type Device @key(fields: "id") { id: ID! upstream: Device }',
      b: 'type Device @key(fields: "id") { id: ID! load: Int! downstream: [Device!]! }',
    },
    things: {
      core: { type: 'Device', id: 'core', upstream: null, load: 9, downstream: ['@edge'] },
      edge: { type: 'Device', id: 'edge', upstream: '@core', load: 2, downstream: [] },
    },
    Query: { device: ({ id }: Record<string, unknown>) => `@${id}` },
    requests: [
      '{ device(id: "edge") { load upstream { load downstream { upstream { load downstream { id load } } } } } }',
      '{ core: device(id: "core") { downstream { upstream { id } load } } edge: device(id: "edge") { load upstream { l: load } } }',
    ],
  },
  {
    name: 'Lists in lists, with holes, keep their places',
    subgraphs: {
      a: 'type Query { grid: [[Cell]]! cube: [[[Cell!]!]] } type Cell @key(fields: "id") { id: ID! }',
      b: 'type Cell @key(fields: "id") { id: ID! colour: String near: [[Cell]] }',
    },
    things: {
      x: { type: 'Cell', id: 'x', colour: 'red', near: [['@y', null], null, []] },
      y: { type: 'Cell', id: 'y', colour: null, near: null },
    },
    Query: { grid: [['@x', null, '@y'], null, [], ['@x']], cube: [[['@x'], []], null, [['@y', '@x']]] },
    requests: [
      '{ grid { colour near { colour } } }',
      '{ cube { id near { near { colour } colour } } grid { near { id } } }',
    ],
  },
];
