import type { Data } from '../federation.ts';
import { part, type Rule } from '../story.ts';
import type { Case } from './case.ts';

const sum =
  (...fields: string[]): Rule =>
  (_args, input) =>
    fields.map((field) => JSON.stringify(input(field) ?? null)).join('+');

const years: Rule = (_args, input) => `novice ${part(input('author'), 'years')}`;

export const requiresCases: readonly Case[] = [
  {
    name: 'A field is worked out from fields of other domains',
    subgraphs: {
      catalogue:
        'type Query { products: [Product] } type Product @key(fields: "upc") { upc: ID! price: Int weight: Int name: String }',
      stock:
        'type Product @key(fields: "upc") { upc: ID! price: Int @external weight: Int @external inStock: Boolean shippingEstimate: String @requires(fields: "price weight") tag: String @requires(fields: "price") }',
      reviews:
        'type Query { reviews: [Review] } type Review { id: ID! product: Product } type Product @key(fields: "upc") { upc: ID! reviews: [Review] }',
    },
    things: {
      table: {
        type: 'Product',
        upc: 't',
        price: 899,
        weight: 100,
        name: 'Table',
        inStock: true,
        shippingEstimate: sum('price', 'weight'),
        tag: sum('price'),
        reviews: ['@r1'],
      },
      couch: {
        type: 'Product',
        upc: 'c',
        price: null,
        weight: 1000,
        name: 'Couch',
        inStock: false,
        shippingEstimate: sum('price', 'weight'),
        tag: sum('price'),
        reviews: [],
      },
      r1: { type: 'Review', id: 'r1', product: '@couch' },
    },
    Query: { products: ['@table', '@couch', null, '@table'], reviews: ['@r1', '@r1'] },
    requests: [
      '{ products { shippingEstimate } }',
      '{ products { price: name shippingEstimate tag weight } }',
      '{ products { weight: price inStock s: shippingEstimate reviews { product { shippingEstimate price } } } }',
      '{ reviews { product { name tag reviews { id product { tag upc } } } } }',
    ],
  },
  {
    name: 'What a field requires may itself require something',
    subgraphs: {
      a: 'type Query { product: Product } type Product @key(fields: "id") { id: ID! price: Float! }',
      b: 'type Product @key(fields: "id") { id: ID! hasDiscount: Boolean! price: Float! @external isExpensive: String! @requires(fields: "price") }',
      c: 'type Product @key(fields: "id") { id: ID! isExpensive: String! @external hasDiscount: Boolean! @external canAfford: String! @requires(fields: "isExpensive") both: String! @requires(fields: "isExpensive hasDiscount") }',
      d: 'type Product @key(fields: "id") { id: ID! canAfford: String! @external both: String! @external last: String! @requires(fields: "canAfford both") }',
    },
    things: {
      p: {
        type: 'Product',
        id: 'p',
        price: 12.5,
        hasDiscount: true,
        isExpensive: sum('price'),
        canAfford: sum('isExpensive'),
        both: sum('isExpensive', 'hasDiscount'),
        last: sum('canAfford', 'both'),
      },
    },
    Query: { product: '@p' },
    requests: [
      '{ product { canAfford } }',
      '{ product { last } }',
      '{ product { both isExpensive last price: canAfford } }',
    ],
  },
  {
    name: 'Two domains require each other’s fields in turn',
    subgraphs: {
      a: 'type Query { feed: [Post] } type Post @key(fields: "id") { id: ID! byNovice: String! @external byExpert: String! @requires(fields: "byNovice") }',
      b: 'type Post @key(fields: "id") { id: ID! author: Author! byNovice: String! @requires(fields: "author { years }") } type Author @key(fields: "id") { id: ID! years: Int! @external name: String }',
      c: 'type Author @key(fields: "id") { id: ID! years: Int! }',
    },
    things: {
      p1: { type: 'Post', id: 'p1', author: '@new', byNovice: years, byExpert: sum('byNovice') },
      p2: { type: 'Post', id: 'p2', author: '@old', byNovice: years, byExpert: sum('byNovice') },
      new: { type: 'Author', id: 'n', years: 1, name: null },
      old: { type: 'Author', id: 'o', years: 30, name: 'Old' },
    },
    Query: { feed: ['@p1', '@p2'] },
    requests: [
      '{ feed { byNovice } }',
      '{ feed { byExpert } }',
      '{ feed { byExpert byNovice author { years name } } }',
    ],
  },
  {
    name: 'A requirement reaches into values, lists and other entities',
    subgraphs: {
      a: 'type Query { order: Order } type Order @key(fields: "id") { id: ID! lines: [Line!]! buyer: Buyer } type Line { sku: String! money: Money } type Money { amount: Int! currency: String } type Buyer @key(fields: "id") { id: ID! }',
      b: 'type Order @key(fields: "id") { id: ID! lines: [Line!]! @external buyer: Buyer @external invoice: String @requires(fields: "lines { sku money { amount } } buyer { id vat }") } type Line { sku: String! @external money: Money @external } type Money { amount: Int! @external } type Buyer @key(fields: "id") { id: ID! vat: String @external }',
      c: 'type Buyer @key(fields: "id") { id: ID! vat: String }',
    },
    things: {
      o: {
        type: 'Order',
        id: 'o',
        lines: ['@l1', '@l2'],
        buyer: '@b',
        invoice: (_: Data, input: (field: string) => unknown) =>
          JSON.stringify([
            part(input('lines'), 'sku'),
            part(part(input('lines'), 'money'), 'amount'),
            part(input('buyer'), 'vat'),
          ]),
      },
      l1: { type: 'Line', sku: 's1', money: '@m' },
      l2: { type: 'Line', sku: 's2', money: null },
      m: { type: 'Money', amount: 5, currency: 'EUR' },
      b: { type: 'Buyer', id: 'b', vat: 'v' },
    },
    Query: { order: '@o' },
    requests: [
      '{ order { invoice } }',
      '{ order { lines { sku: __typename money { amount: currency } } invoice buyer { id: vat } } }',
    ],
  },
  {
    name: 'A requirement reads an interface’s types by fragments',
    subgraphs: {
      a: 'type Query { a: Entity b: Entity } type Entity @key(fields: "id") { id: ID! data: Data } interface Data { foo: String! } interface Qux implements Data { foo: String! qux: String! } type Bar implements Data { foo: String! bar: String! } type Baz implements Data & Qux { foo: String! baz: String! qux: String! }',
      b: 'type Query { c: Entity } type Entity @key(fields: "id") { id: ID! data: Data @external requirer: String! @requires(fields: "data { foo ... on Bar { bar } ... on Baz { baz qux } }") } interface Data { foo: String! } interface Qux implements Data { foo: String! qux: String! } type Bar implements Data { foo: String! @external bar: String! @external } type Baz implements Data & Qux { foo: String! @external baz: String! @external qux: String! @external }',
    },
    things: {
      one: {
        type: 'Entity',
        id: '1',
        data: '@bar',
        requirer: (_: Data, input: (field: string) => unknown) =>
          `${part(input('data'), 'foo')} ${part(input('data'), 'bar')}`,
      },
      two: {
        type: 'Entity',
        id: '2',
        data: '@baz',
        requirer: (_: Data, input: (field: string) => unknown) =>
          `${part(input('data'), 'foo')} ${part(input('data'), 'baz')} ${part(input('data'), 'qux')}`,
      },
      bar: { type: 'Bar', foo: 'foo', bar: 'bar' },
      baz: { type: 'Baz', foo: 'foo2', baz: 'baz', qux: 'qux' },
    },
    Query: { a: '@one', b: '@two', c: '@two' },
    requests: [
      '{ a { requirer } b { requirer } }',
      '{ c { requirer data { __typename foo ... on Qux { qux } } } a { data { foo } } }',
    ],
  },
  {
    name: 'A requirement reads types that are not for clients',
    subgraphs: {
      a: 'type Query { one: Entity } type Entity @key(fields: "id") { id: ID! data: Data } interface Data { foo: String! } interface Inner implements Data @inaccessible { foo: String! inner: String! } type Baz implements Data & Inner { foo: String! inner: String! @inaccessible }',
      b: 'type Entity @key(fields: "id") { id: ID! data: Data @external told: String! @requires(fields: "data { foo ... on Inner { inner } }") } interface Data { foo: String! } interface Inner implements Data @inaccessible { foo: String! inner: String! } type Baz implements Data & Inner { foo: String! @external inner: String! @external }',
    },
    things: {
      one: {
        type: 'Entity',
        id: '1',
        data: '@baz',
        told: (_: Data, input: (field: string) => unknown) =>
          `${part(input('data'), 'foo')} ${part(input('data'), 'inner')}`,
      },
      baz: { type: 'Baz', foo: 'foo', inner: 'inner' },
    },
    Query: { one: '@one' },
    requests: ['{ one { told } }', '{ one { data { foo __typename } told } }'],
  },
  {
    name: 'A requirement on an interface is worked out for each of its types',
    subgraphs: {
      a: 'type Query { users: [User!]! } type User @key(fields: "id") { id: ID! name: String! address: Address @external city: String @requires(fields: "address { id }") } interface Address { id: ID! } type Home implements Address @key(fields: "id") { id: ID! } type Work implements Address @key(fields: "id") { id: ID! }',
      b: 'type User @key(fields: "id") { id: ID! address: Address } interface Address { id: ID! } type Home implements Address @key(fields: "id") { id: ID! street: String } type Work implements Address @key(fields: "id") { id: ID! floor: Int }',
    },
    things: {
      u1: {
        type: 'User',
        id: 'u1',
        name: 'U1',
        address: '@h',
        city: (_: Data, input: (field: string) => unknown) => `at ${part(input('address'), 'id')}`,
      },
      u2: {
        type: 'User',
        id: 'u2',
        name: 'U2',
        address: null,
        city: (_: Data, input: (field: string) => unknown) => `at ${part(input('address'), 'id')}`,
      },
      h: { type: 'Home', id: 'h', street: 's' },
    },
    Query: { users: ['@u1', '@u2'] },
    requests: [
      '{ users { city } }',
      '{ users { name city address { id ... on Home { street } ... on Work { floor } } } }',
    ],
  },
  {
    name: 'What is required stays itself when the client uses its name for something else',
    subgraphs: {
      a: 'type Query { product(currency: String): Product } type Product @key(fields: "id") { id: ID! legacyId: Int price(currency: String = "EUR"): Int! }',
      b: 'type Product @key(fields: "id") { id: ID! price(currency: String = "EUR"): Int! @external label: String @requires(fields: "price") b: Int }',
    },
    things: {
      p: {
        type: 'Product',
        id: 'p',
        legacyId: 7,
        price: ({ currency = 'EUR' }: Data) => (currency === 'EUR' ? 10 : 12),
        label: sum('price'),
        b: 5,
      },
    },
    Query: { product: '@p' },
    requests: [
      '{ product { id: legacyId b } }',
      '{ product { price(currency: "USD") label } }',
      '{ product { price: legacyId label } }',
      {
        query: 'query ($c: String) { product(currency: $c) { price(currency: $c) label id: price } }',
        variables: { c: 'USD' },
      },
      '{ product { __typename: b id: __typename b: label } }',
    ],
  },
  {
    name: 'What is taken over may require what is left behind',
    subgraphs: {
      a: 'type Query { one: Item } type Item @key(fields: "id") { id: ID! size: Int name: String @override(from: "b") @requires(fields: "size2") size2: Int @external }',
      b: 'type Query { two: Item } type Item @key(fields: "id") { id: ID! name: String size2: Int }',
    },
    things: { i: { type: 'Item', id: 'i', size: 1, size2: 2, name: sum('size2') } },
    Query: { one: '@i', two: '@i' },
    requests: ['{ one { name } two { name size } }', '{ two { size2 name id } }'],
  },
  {
    name: 'A reference that provides also requires',
    subgraphs: {
      accounts: 'type User @key(fields: "id") { id: ID! name: String username: String @shareable }',
      inventory:
        'type Product @key(fields: "upc") { upc: String! weight: Int @external price: Int @external inStock: Boolean shippingEstimate: String @requires(fields: "price weight") }',
      products:
        'type Query { products: [Product] } type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }',
      reviews:
        'type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "username") product: Product } type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] } type Product @key(fields: "upc") { upc: String! reviews: [Review] }',
    },
    things: {
      p: {
        type: 'Product',
        upc: 'p',
        name: 'P',
        price: 3,
        weight: 4,
        inStock: true,
        shippingEstimate: sum('price', 'weight'),
        reviews: ['@r', '@r'],
      },
      r: { type: 'Review', id: 'r', body: 'ok', author: '@u', product: '@p' },
      u: { type: 'User', id: 'u', name: 'U', username: 'uu', reviews: ['@r'] },
    },
    Query: { products: ['@p'] },
    requests: [
      '{ products { upc reviews { author { username reviews { product { inStock shippingEstimate } } } } } }',
      '{ products { shippingEstimate reviews { author { name username } id } } }',
    ],
  },
];
