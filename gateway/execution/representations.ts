import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { giveUp } from './explain.ts';
import { type Data, faultsOf, isObject, own, type Path } from './faults.ts';
import { merge } from './merge.ts';
import { applyRewrites, isOfType } from './rewrites.ts';

/** One thing a subgraph is asked about, as JSON text, and the objects it stands for. */
export interface Entity {
  text: string;
  holders: Data[];
}

/** Why something that is required is missing, and where that arose, from the object that needs it. */
interface Cause {
  error: GraphQLFormattedError;
  path: Path;
}

/** How the objects a fetch is about are told to its subgraph. */
export interface Representer {
  /** The leaves that are all there is to tell of objects of a type; undefined where more is. */
  leaves(typeName: unknown): readonly Leaf[] | undefined;
  /** What a subgraph needs to know of an object to find its entity, as JSON text; undefined if any of it is missing. */
  text(object: Data, causes: Cause[]): string | undefined;
}

/** What a subgraph is asked about on behalf of some objects, each thing once. */
export function entitiesOf(
  representer: Representer,
  fetch: FetchNode,
  targets: readonly Data[],
  run: { isFaulty?: boolean },
): Entity[] {
  const entities = new Map<string, Entity>();
  /** The entity last found for a value of the leaf that tells most objects apart. */
  const likely = new Map<unknown, Entity>();
  const causes: Cause[] = [];
  for (const target of targets) {
    const leaves = run.isFaulty && faultsOf(target) ? undefined : representer.leaves(target.__typename);
    const mark = leaves && target[(leaves.at(-1) as Leaf).key];
    const alike = leaves && likely.get(mark);
    if (alike && areAlike(alike.holders[0] as Data, target, leaves)) {
      alike.holders.push(target);
      continue;
    }
    const text = leaves ? writeLeaves(target, leaves) : representer.text(target, causes);
    if (text === undefined) {
      if (!causes[0]) continue;
      run.isFaulty = true;
      giveUp(fetch, target, causes[0].error, causes[0].path);
      causes.length = 0;
      continue;
    }
    let entity = entities.get(text);
    if (entity) entity.holders.push(target);
    else {
      entity = { text, holders: [target] };
      entities.set(text, entity);
    }
    if (leaves) likely.set(mark, entity);
  }
  return [...entities.values()];
}

function areAlike(one: Data, other: Data, leaves: readonly Leaf[]): boolean {
  for (const { key } of leaves) if (one[key] !== other[key]) return false;
  return true;
}

/** Compiles how the objects a fetch is about are told to its subgraph. */
export function representer(schema: GraphQLSchema, fetch: FetchNode): Representer {
  const leaves = fetch.inputRewrites?.length ? undefined : leavesByType(schema, fetch.requires ?? []);
  return {
    leaves: leaves ?? (() => undefined),
    text: (object, causes) => writeAny(schema, fetch, object, causes),
  };
}

function writeAny(schema: GraphQLSchema, fetch: FetchNode, object: Data, causes: Cause[]) {
  const representation = represent(schema, object, fetch.requires ?? [], causes);
  if (!representation?.__typename) return undefined;
  applyRewrites(schema, fetch.inputRewrites, representation);
  return JSON.stringify(representation);
}

interface Leaf {
  key: string;
  /** What stands before its value: `"key":`. */
  head: string;
}

/**
 * Most representations are a few leaves of one type: which ones is worked out once for each type. Undefined for a type,
 * or for all, if what is required is more than that.
 */
function leavesByType(schema: GraphQLSchema, requires: readonly QueryPlanSelectionNode[]) {
  const known = new Map<unknown, readonly Leaf[] | undefined>();
  const areLeaves = requires.every(
    (one) =>
      one.kind === 'InlineFragment' &&
      one.selections.every(
        (inner) => inner.kind === 'Field' && !inner.selections && !((inner.alias ?? inner.name) in Object.prototype),
      ),
  );
  if (!areLeaves) return undefined;
  let lastName: unknown;
  let last: readonly Leaf[] | undefined;
  return (typeName: unknown): readonly Leaf[] | undefined => {
    if (typeName === lastName) return last;
    lastName = typeName;
    last = leavesOf(typeName);
    return last;
  };

  function leavesOf(typeName: unknown): readonly Leaf[] | undefined {
    if (known.has(typeName) || typeof typeName !== 'string') return known.get(typeName);
    const keys = new Set<string>();
    for (const one of requires) {
      if (one.kind !== 'InlineFragment') continue;
      if (one.typeCondition && !isOfType(schema, { __typename: typeName }, one.typeCondition)) continue;
      for (const inner of one.selections) if (inner.kind === 'Field') keys.add(inner.alias ?? inner.name);
    }
    const leaves = keys.has('__typename')
      ? [...keys].map((key) => ({ key, head: `${JSON.stringify(key)}:` }))
      : undefined;
    if (schema.getType(typeName)) known.set(typeName, leaves); // no others: a subgraph may invent any number
    return leaves;
  }
}

function writeLeaves(object: Data, leaves: readonly Leaf[]): string | undefined {
  let text = '';
  for (const { key, head } of leaves) {
    const value = object[key];
    if (value === undefined) return undefined;
    text += `${text ? ',' : '{'}${head}${JSON.stringify(value)}`;
  }
  return `${text}}`;
}

function represent(
  schema: GraphQLSchema,
  source: Data,
  selections: readonly QueryPlanSelectionNode[],
  causes: Cause[],
  above: Path = [],
  made: Data = {},
): Data | undefined {
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (selection.typeCondition && !isOfType(schema, source, selection.typeCondition)) continue;
      if (!represent(schema, source, selection.selections, causes, above, made)) return undefined;
      continue;
    }
    const key = selection.alias ?? selection.name;
    const held = own(source, key);
    const value = selection.selections
      ? representValue(schema, held, selection.selections, causes, [...above, key])
      : held;
    const fault = faultsOf(source)?.find(({ at }) => at?.[0] === key);
    if (fault) fault.isFelt = true;
    if (fault && value === undefined) causes.push({ error: fault.error, path: [...above, ...fault.path] });
    if (value === undefined) return undefined;
    if (isObject(value) && isObject(made[key])) merge(made[key], value);
    else made[key] = value;
  }
  return made;
}

function representValue(
  schema: GraphQLSchema,
  value: unknown,
  selections: readonly QueryPlanSelectionNode[],
  causes: Cause[],
  above: Path,
): unknown {
  if (!isObject(value)) return value;
  if (!Array.isArray(value)) return represent(schema, value, selections, causes, above);
  const items = value.map((item, i) => representValue(schema, item, selections, causes, [...above, i]));
  return items.includes(undefined) ? undefined : items;
}
