import type { Case } from './case.ts';

const broken = (text = 'broken') => new Error(text);

export const faultCases: readonly Case[] = [
  {
    name: 'An error nulls the nearest parent that may be null, and stands where it arose',
    subgraphs: {
      a: 'type Query { list: [Item] sure: [Item!] very: [Item!]! maybe: Item surely: Item! } type Item @key(fields: "id") { id: ID! here: Int! soft: Int }',
      b: 'type Item @key(fields: "id") { id: ID! hard: Int! easy: Int inner: Inner deep: [[Inner!]]! } type Inner { hard: Int! easy: Int }',
    },
    things: {
      ok: { type: 'Item', id: 'ok', here: 1, soft: 2, hard: 3, easy: 4, inner: '@fine', deep: [['@fine'], null] },
      bad: {
        type: 'Item',
        id: 'bad',
        here: 1,
        soft: broken(),
        hard: broken(),
        easy: broken(),
        inner: '@rotten',
        deep: [['@fine', '@rotten'], []],
      },
      void: { type: 'Item', id: 'void', here: null, soft: null, hard: null, easy: null, inner: null, deep: null },
      fine: { type: 'Inner', hard: 1, easy: 2 },
      rotten: { type: 'Inner', hard: broken(), easy: broken() },
    },
    Query: {
      list: ['@ok', '@bad', '@void', null, broken()],
      sure: ['@ok', '@bad'],
      very: ['@ok'],
      maybe: '@bad',
      surely: '@ok',
    },
    requests: [
      '{ list { id easy } }',
      '{ list { id hard } }',
      '{ list { inner { hard } } }',
      '{ list { deep { hard easy } soft } }',
      '{ sure { hard } very { hard } }',
      '{ sure { easy inner { easy hard } } }',
      '{ maybe { soft x: soft easy y: easy } surely { easy } }',
      '{ list { here } maybe { hard } }',
      '{ a: maybe { e: easy inner { h: hard } } b: list { i: id x: hard } }',
    ],
  },
  {
    name: 'An error that reaches the root leaves no data',
    subgraphs: {
      a: 'type Query { sure: Int! thing: Thing! } type Thing @key(fields: "id") { id: ID! }',
      b: 'type Query { other: Int } type Thing @key(fields: "id") { id: ID! hard: Int! soft: Int }',
    },
    things: { t: { type: 'Thing', id: 't', hard: null, soft: broken() } },
    Query: { sure: broken(), thing: '@t', other: broken() },
    requests: [
      '{ other sure }',
      '{ thing { hard } other }',
      '{ thing { soft } other }',
      '{ other thing { soft hard } }',
    ],
  },
  {
    name: 'A domain that does not know a thing leaves its own fields empty',
    subgraphs: {
      a: 'type Query { all: [Device!]! perhaps: [Device] } type Device @key(fields: "id") { id: ID! name: String }',
      b: 'type Device @key(fields: "id") { id: ID! load: Int ports: [Port!] }  type Port { n: Int! }',
      c: 'type Device @key(fields: "id") { id: ID! alarms: [String!]! }',
    },
    things: {
      here: { type: 'Device', id: 'h', name: 'H', load: 1, ports: ['@p'], alarms: [] },
      gone: { type: 'Device', id: 'g', name: 'G', load: null, ports: null, alarms: null },
      p: { type: 'Port', n: 1 },
    },
    unknown: { b: ['gone'], c: ['gone'] },
    Query: { all: ['@here', '@gone', '@here'], perhaps: ['@gone', null, '@here'] },
    requests: [
      '{ all { name load ports { n } } }',
      '{ perhaps { id load } }',
      '{ all { load ... on Device { a: alarms } } }',
    ],
  },
  {
    name: 'An error of a shared value belongs to the place it was asked for',
    subgraphs: {
      a: 'type Query { line: Line lines: [Line] } type Line @key(fields: "id") { id: ID! rate: Rate @shareable } type Rate { down: Int }',
      b: 'type Line @key(fields: "id") { id: ID! rate: Rate @shareable } type Rate { up: Int top: Int! }',
    },
    things: {
      l: { type: 'Line', id: 'l', rate: '@r' },
      r: { type: 'Rate', down: 1, up: broken(), top: 9 },
      m: { type: 'Line', id: 'm', rate: null },
    },
    Query: { line: '@l', lines: ['@l', '@m', '@l'] },
    requests: ['{ line { rate { up down } } }', '{ lines { rate { top u: up } } }'],
  },
  {
    name: 'An error on one type of several is told at that type',
    subgraphs: {
      a: 'type Query { found: [Found] } union Found = A | B type A @key(fields: "id") { id: ID! } type B @key(fields: "id") { id: ID! }',
      b: 'type A @key(fields: "id") { id: ID! x: Int y: String! } type B @key(fields: "id") { id: ID! x: String y: String! z: Int }',
    },
    things: {
      a: { type: 'A', id: 'a', x: broken(), y: broken() },
      b: { type: 'B', id: 'b', x: broken(), y: null, z: broken() },
    },
    Query: { found: ['@a', '@b', '@a'] },
    requests: [
      '{ found { ... on A { n: x } ... on B { s: x } } }',
      '{ found { ... on A { t: y } ... on B { t: y __typename } } }',
      '{ found { ... on B { x } ... on A { y2: x x2: y } } }',
      '{ found { ... on A { n: x } ... on B { n: z } } }',
    ],
  },
  {
    name: 'An interface object’s faults cost only its own fields',
    subgraphs: {
      a: 'type Query { all: [Medium] } interface Medium @key(fields: "id") { id: ID! } type Book implements Medium @key(fields: "id") { id: ID! pages: Int! }',
      b: 'type Query { best: [Medium] } type Medium @key(fields: "id") @interfaceObject { id: ID! score: Int stars: Int! }',
    },
    things: {
      b: { type: 'Book', id: 'b', pages: broken(), score: broken(), stars: 1 },
      c: { type: 'Book', id: 'c', pages: 1, score: 2, stars: null },
    },
    unknown: {},
    Query: { all: ['@b', '@c'], best: ['@c', '@b'] },
    requests: [
      '{ all { score } best { score } }',
      '{ all { stars } }',
      '{ best { id ... on Book { pages } } }',
      '{ best { stars __typename } }',
    ],
  },
];
