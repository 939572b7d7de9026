import type { Case } from './case.ts';

export const abstractCases: readonly Case[] = [
  {
    name: 'Each domain knows some members of a union',
    subgraphs: {
      a: 'type Query { media: Media @shareable book: Media! @shareable } union Media = Book | Song type Book { title: String! @shareable } type Song { title: String! @shareable }',
      b: 'type Query { media: Media @shareable book: Media! @shareable viewer: Viewer @shareable } union Media = Book | Film type Book { title: String! @shareable } type Film { title: String! @shareable } type Viewer { media: [Media] @shareable }',
    },
    things: {
      b: { type: 'Book', title: 'A book' },
      f: { type: 'Film', title: 'A film' },
      v: { type: 'Viewer', media: ['@f', '@b', null] },
    },
    Query: { media: '@b', book: '@b', viewer: '@v' },
    requests: [
      '{ media { __typename ... on Book { title } ... on Film { t: title } ... on Song { title } } }',
      '{ book { ... on Song { title } } viewer { media { __typename ... on Film { title } ... on Book { b: title } } } }',
    ],
  },
  {
    name: 'Two members of a union show different fields under one name',
    subgraphs: {
      a: 'type Query { found: [Found!]! } union Found = Person | Firm type Person @key(fields: "id") { id: ID! first: String size: Int } type Firm @key(fields: "id") { id: ID! brand: String staff: Int! }',
      b: 'type Person @key(fields: "id") { id: ID! rank: String } type Firm @key(fields: "id") { id: ID! grade: String }',
    },
    things: {
      ada: { type: 'Person', id: '1', first: 'Ada', size: 170, rank: 'r' },
      acme: { type: 'Firm', id: '1', brand: 'Acme', staff: 12, grade: 'gold' },
    },
    Query: { found: ['@ada', '@acme', '@ada'] },
    requests: [
      '{ found { ... on Person { label: first } ... on Firm { label: brand } } }',
      '{ found { ... on Person { label: first n: rank } ... on Firm { label: grade n: brand } } }',
      '{ found { ... on Person { id: rank } ... on Firm { id: grade } __typename } }',
      '{ found { ... on Person { x__alias_0: first x: rank } ... on Firm { x: grade } } }',
    ],
  },
  {
    name: 'An interface spread over domains shows what each type has in each',
    subgraphs: {
      a: 'type Query { assets: [Asset!]! } interface Asset { id: ID! } type Router implements Asset @key(fields: "id") { id: ID! ports: Int } type Cable implements Asset @key(fields: "id") { id: ID! metres: Float! }',
      b: 'interface Asset { id: ID! owner: String } type Router implements Asset @key(fields: "id") { id: ID! owner: String } type Cable implements Asset @key(fields: "id") { id: ID! owner: String }',
    },
    things: {
      r: { type: 'Router', id: 'r', ports: 4, owner: 'Ops' },
      c: { type: 'Cable', id: 'c', metres: 2.5, owner: null },
    },
    Query: { assets: ['@r', '@c', '@r'] },
    requests: [
      '{ assets { id owner } }',
      '{ assets { ... on Router { owner ports } ... on Cable { id metres } } }',
      '{ assets { ...A ... on Asset { id ... on Cable { owner } } } } fragment A on Asset { __typename ...B } fragment B on Router { o: owner ports }',
    ],
  },
  {
    name: 'A field is a type here and its interface there',
    subgraphs: {
      a: 'type Query { main: Router! @shareable } interface Node { id: ID! } type Router implements Node @key(fields: "id") { id: ID! a: Int }',
      b: 'type Query { main: Node! @shareable } interface Node { id: ID! } type Router implements Node @key(fields: "id") { id: ID! b: Int } type Mast implements Node { id: ID! }',
    },
    things: { r: { type: 'Router', id: 'r', a: 1, b: 2 } },
    Query: { main: '@r' },
    requests: [
      '{ main { id } }',
      '{ main { __typename id ... on Router { a b } ... on Mast { id } } }',
      '{ main { ... on Node { ... on Router { b } } } }',
    ],
  },
  {
    name: 'A node is found by its id, whoever owns its type',
    subgraphs: {
      a: 'type Query { productNode: Node @shareable } interface Node { id: ID! } type Product implements Node @key(fields: "id") { id: ID! }',
      b: 'type Query { categoryNode: Node @shareable } interface Node { id: ID! } type Category implements Node @key(fields: "id") { id: ID! }',
      c: 'interface Node { id: ID! name: String! } type Product implements Node @key(fields: "id") { id: ID! name: String! price: Float! } type Category implements Node @key(fields: "id") { id: ID! name: String! }',
    },
    things: { p: { type: 'Product', id: 'p', name: 'P', price: 1 }, c: { type: 'Category', id: 'c', name: 'C' } },
    Query: { productNode: '@p', categoryNode: '@c' },
    requests: [
      '{ productNode { ... on Product { id name __typename price } } categoryNode { ... on Category { id name } } }',
      '{ productNode { id __typename name } categoryNode { name t: __typename } }',
    ],
  },
  {
    name: 'An interface that is an entity gains fields in a domain that knows none of its types',
    subgraphs: {
      a: 'type Query { all: [Medium!]! } interface Medium @key(fields: "id") { id: ID! } type Book implements Medium @key(fields: "id") { id: ID! pages: Int } type Film implements Medium @key(fields: "id") { id: ID! minutes: Int }',
      b: 'type Query { best: [Medium] } type Medium @key(fields: "id") @interfaceObject { id: ID! reviews: [Review!]! } type Review { score: Int! of: Medium }',
    },
    things: {
      b: { type: 'Book', id: 'b', pages: 9, reviews: ['@good'] },
      f: { type: 'Film', id: 'f', minutes: null, reviews: [] },
      good: { type: 'Review', score: 5, of: '@f' },
    },
    Query: { all: ['@b', '@f'], best: ['@f', null, '@b'] },
    requests: [
      '{ all { id reviews { score } } }',
      '{ best { id } }',
      '{ best { reviews { score } } }',
      '{ best { __typename ... on Book { pages reviews { score of { __typename id } } } ... on Film { minutes } } }',
      '{ all { ... on Film { reviews { score } } __typename } }',
    ],
  },
  {
    name: 'A domain works out an interface’s field from what the types know',
    subgraphs: {
      a: 'type Query { accounts: [Account] } interface Account @key(fields: "id") { id: ID! name: String } type Person implements Account @key(fields: "id") { id: ID! name: String } type Firm implements Account @key(fields: "id") { id: ID! name: String vat: String }',
      b: 'type Account @key(fields: "id") @interfaceObject { id: ID! name: String @external greeting: String! @requires(fields: "name") }',
    },
    things: {
      p: {
        type: 'Person',
        id: 'p',
        name: 'Ada',
        greeting: (_: unknown, input: (field: string) => unknown) => `Hello ${input('name')}`,
      },
      f: {
        type: 'Firm',
        id: 'f',
        name: null,
        vat: 'v',
        greeting: (_: unknown, input: (field: string) => unknown) => `Hello ${input('name')}`,
      },
    },
    Query: { accounts: ['@p', '@f'] },
    requests: ['{ accounts { greeting } }', '{ accounts { name id greeting ... on Firm { vat hi: greeting } } }'],
  },
  {
    name: 'A type of an interface entity is extended by name as well',
    subgraphs: {
      a: 'type Query { item: Item } interface Item @key(fields: "id") { id: ID! } type Box implements Item @key(fields: "id") { id: ID! weight: Int }',
      b: 'type Item @key(fields: "id") @interfaceObject { id: ID! stock: Int! }',
      c: 'type Box @key(fields: "id") { id: ID! label: String }',
    },
    things: { x: { type: 'Box', id: 'x', weight: 3, stock: 7, label: 'L' } },
    Query: { item: '@x' },
    requests: ['{ item { stock ... on Box { label stock weight } } }', '{ item { ... on Box { label } id } }'],
  },
  {
    name: 'An interface object that cannot be looked up is still answered',
    subgraphs: {
      a: 'type Query { product: Product } interface Product @key(fields: "id") { id: ID! title: String } type Bread implements Product @key(fields: "id") { id: ID! title: String }',
      b: 'type Query { anything: Product } type Product @key(fields: "id", resolvable: false) @interfaceObject { id: ID! }',
    },
    things: { bread: { type: 'Bread', id: 'b', title: 'Rye' } },
    Query: { product: '@bread', anything: '@bread' },
    requests: [
      '{ product { id } anything { id } }',
      '{ anything { title __typename } }',
      '{ anything { ... on Bread { title } } }',
    ],
  },
  {
    name: 'Types refer to each other through their interface',
    subgraphs: {
      a: 'type Query { product: Product } interface Product { samePriceProduct: Product } type Book implements Product @key(fields: "id") { id: ID! samePriceProduct: Book @provides(fields: "price") price: Float @external }',
      b: 'type Book @key(fields: "id") { id: ID! price: Float @shareable }',
    },
    things: {
      one: { type: 'Book', id: '1', price: 9, samePriceProduct: '@two' },
      two: { type: 'Book', id: '2', price: 9, samePriceProduct: '@one' },
    },
    Query: { product: '@one' },
    requests: [
      '{ product { samePriceProduct { ... on Book { id } } } }',
      '{ product { __typename samePriceProduct { __typename ... on Book { price samePriceProduct { price id } } } } }',
    ],
  },
  {
    name: 'Members of a union are provided with what each can show',
    subgraphs: {
      a: 'type Query { media: [Media] @provides(fields: "... on Book { title }") all: [Media] } union Media = Book | Film type Book @key(fields: "id") { id: ID! title: String @external } type Film @key(fields: "id") { id: ID! }',
      b: 'type Book @key(fields: "id") { id: ID! title: String @shareable } type Film @key(fields: "id") { id: ID! title: String }',
    },
    things: { b: { type: 'Book', id: 'b', title: 'Book' }, f: { type: 'Film', id: 'f', title: 'Film' } },
    Query: { media: ['@b', '@f'], all: ['@f', '@b'] },
    requests: [
      '{ media { ... on Book { title } ... on Film { title } } }',
      '{ media { ... on Book { id title } } all { ... on Book { title id } __typename } }',
    ],
  },
  {
    name: 'A type taken over keeps its place under an interface',
    subgraphs: {
      a: 'type Query { feed: [Post] } interface Post { id: ID! createdAt: String! } type ImagePost implements Post @key(fields: "id") { id: ID! createdAt: String! @override(from: "b") }',
      b: 'type Query { another: [Post] } interface Post { id: ID! createdAt: String! } type TextPost implements Post @key(fields: "id") { id: ID! createdAt: String! body: String! } type ImagePost implements Post @key(fields: "id") { id: ID! createdAt: String! }',
    },
    things: {
      i: { type: 'ImagePost', id: 'i', createdAt: 'mon' },
      t: { type: 'TextPost', id: 't', createdAt: 'tue', body: 'x' },
    },
    Query: { feed: ['@i', null], another: ['@t', '@i'] },
    requests: [
      '{ feed { id createdAt } }',
      '{ another { createdAt ... on TextPost { body } } feed { ... on ImagePost { c: createdAt } } }',
    ],
  },
  {
    name: 'Domains disagree on how sure a field and how wide its type is',
    subgraphs: {
      a: 'type Query { users: [User!]! @shareable one: Admin } union Account = User | Admin type User @key(fields: "id") { id: ID @shareable name: String @shareable } type Admin { id: ID @shareable name: String @shareable }',
      b: 'type Query { accounts: [Account!]! } union Account = User | Admin type User { id: ID! @shareable name: String! @shareable } type Admin { id: ID! @shareable name: String! @shareable }',
    },
    things: { u: { type: 'User', id: 'u', name: 'U' }, a: { type: 'Admin', id: 'a', name: 'A' } },
    Query: { users: ['@u'], accounts: ['@u', '@a'], one: '@a' },
    requests: [
      '{ users { id name } accounts { ... on User { id name } ... on Admin { id name } } }',
      '{ accounts { ... on User { name } ... on Admin { n: name } } one { id } }',
    ],
  },
  {
    name: 'The name of the type is right everywhere, under any name',
    subgraphs: {
      a: 'type Query { union: Union @shareable interface: Named! } union Union = A | B interface Named { name: String } type A implements Named @key(fields: "id") { id: ID! name: String } type B implements Named { name: String }',
      b: 'type Query { other: A } type A @key(fields: "id") { id: ID! deep: Deep } type Deep { leaf: Int }',
    },
    things: {
      a: { type: 'A', id: 'a', name: 'n', deep: '@d' },
      d: { type: 'Deep', leaf: 1 },
      b: { type: 'B', name: null },
    },
    Query: { union: '@a', interface: '@b', other: '@a' },
    requests: [
      '{ __typename union { __typename } }',
      '{ t: __typename union { id: __typename ... on A { name: __typename deep { __typename leaf: __typename } } } }',
      '{ interface { __typename name } other { __typename: id deep { x: __typename } } __typename }',
      '{ __typename }',
      'query A { a: __typename b: __typename }',
    ],
  },
];
