import { Kind, parse } from 'graphql';
import type { Data, Thing, World } from './federation.ts';
import { type FieldSet, ownershipOf } from './ownership.ts';

/** What a field of a story comes to: a leaf, `'@name'` for another thing, an Error to throw, lists of them, or a rule. */
type Fact = unknown;
export type Rule = (args: Data, input: (field: string) => unknown) => Fact;
type Facts = { type: string } & Record<string, Fact | Rule>;

/** A federation told by hand: who defines what, and what is the case. */
export interface Story {
  /** SDL by subgraph; federation 2 unless the name ends in `1`. */
  subgraphs: Record<string, string>;
  things: Record<string, Facts>;
  Query?: Record<string, Fact | Rule>;
  Mutation?: Record<string, Fact | Rule>;
  Subscription?: Record<string, Fact | Rule>;
  /** Things a subgraph does not know. */
  unknown?: Record<string, readonly string[]>;
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@requires", "@override", "@inaccessible", "@interfaceObject", "@tag"])\n`;

/** Reads a field of what a rule was given, be it a Thing or the plain data of a representation. */
export function part(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => part(item, field));
  if (typeof value !== 'object' || value === null) return value;
  const read = (value as Partial<Thing>).read;
  return read ? read(field, {}, (name) => read(name, {}, () => undefined)) : (value as Data)[field];
}

/** The plain data of some fields. */
function pick(value: unknown, fields: FieldSet): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, fields));
  return fields.size === 0 || value === null
    ? value
    : Object.fromEntries([...fields].map(([name, inner]) => [name, pick(part(value, name), inner)]));
}

export function worldOfStory({
  subgraphs,
  things,
  Query = {},
  Mutation = {},
  Subscription = {},
  unknown = {},
}: Story): World {
  const sdls = Object.entries(subgraphs).map(([name, sdl]) => ({ name, sdl: name.endsWith('1') ? sdl : LINK + sdl }));
  const interfaces = interfacesOf(sdls.map(({ sdl }) => sdl));
  const owners = new Map(sdls.map(({ name, sdl }) => [name, ownershipOf(sdl)]));

  const show = (fact: Fact): unknown => {
    if (Array.isArray(fact)) return fact.map(show);
    return typeof fact === 'string' && fact.startsWith('@') ? thing(things[fact.slice(1)] as Facts) : fact;
  };
  const thing = (facts: Facts): Thing => ({
    type: facts.type,
    read: (field, args, input) => {
      const fact = facts[field];
      return show(typeof fact === 'function' ? (fact as Rule)(args, input) : fact);
    },
  });
  const matches = (facts: Facts, key: FieldSet, given: Data): boolean =>
    [...key].every(
      ([field, inner]) =>
        Object.hasOwn(given, field) &&
        JSON.stringify(pick(show(facts[field]), inner)) === JSON.stringify(pick(given[field], inner)),
    );

  return {
    subgraphs: sdls,
    root: (operation) =>
      thing(
        {
          query: { type: 'Query', ...Query },
          mutation: { type: 'Mutation', ...Mutation },
          subscription: { type: 'Subscription', ...Subscription },
        }[operation],
      ),
    find(subgraph, representation) {
      const type = String(representation.__typename);
      const keys = owners.get(subgraph)?.entities.get(type) ?? [];
      if (!keys.some((key) => [...key.keys()].every((field) => Object.hasOwn(representation, field))))
        throw new Error(`was given no key: ${JSON.stringify(representation)}`);
      const found = Object.entries(things).find(
        ([, facts]) =>
          (facts.type === type || interfaces.get(facts.type)?.has(type)) &&
          keys.some((key) => matches(facts, key, representation)),
      );
      return found && !unknown[subgraph]?.includes(found[0]) ? thing(found[1]) : null;
    },
  };
}

/** The interfaces each object type has anywhere. */
function interfacesOf(sdls: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const sdl of sdls) {
    for (const node of parse(sdl).definitions) {
      if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
      const names = found.get(node.name.value) ?? new Set();
      for (const { name } of node.interfaces ?? []) names.add(name.value);
      found.set(node.name.value, names);
    }
  }
  return found;
}
