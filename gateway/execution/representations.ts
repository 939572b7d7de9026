import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { giveUp } from './explain.ts';
import { type Data, faultsOf, isObject, own } from './faults.ts';
import { merge } from './merge.ts';
import { applyRewrites, isOfType } from './rewrites.ts';

/** One thing a subgraph is asked about, and the objects it stands for. */
interface Entity {
  representation: Data;
  holders: Data[];
}

/** What a subgraph is asked about on behalf of some objects, each thing once. */
export function entitiesOf(schema: GraphQLSchema, fetch: FetchNode, targets: readonly Data[]): Entity[] {
  const entities = new Map<string, Entity>();
  for (const target of targets) {
    const causes: GraphQLFormattedError[] = [];
    const representation = represent(schema, target, fetch.requires ?? [], causes);
    if (!representation && causes[0]) giveUp(fetch, target, causes[0], []);
    if (!representation?.__typename) continue;
    applyRewrites(schema, fetch.inputRewrites, representation);
    const text = JSON.stringify(representation);
    const known = entities.get(text);
    if (known) known.holders.push(target);
    else entities.set(text, { representation, holders: [target] });
  }
  return [...entities.values()];
}

/** What a subgraph needs to know of an object to find its entity; undefined if any of it is missing, with the causes. */
function represent(
  schema: GraphQLSchema,
  source: Data,
  selections: readonly QueryPlanSelectionNode[],
  causes: GraphQLFormattedError[],
  made: Data = {},
): Data | undefined {
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (selection.typeCondition && !isOfType(schema, source, selection.typeCondition)) continue;
      if (!represent(schema, source, selection.selections, causes, made)) return undefined;
      continue;
    }
    const key = selection.alias ?? selection.name;
    const held = own(source, key);
    const value = selection.selections ? representValue(schema, held, selection.selections, causes) : held;
    const fault = faultsOf(source)?.find(({ at }) => at?.[0] === key);
    if (fault) fault.isFelt = true;
    if (fault && value === undefined) causes.push(fault.error);
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
  causes: GraphQLFormattedError[],
): unknown {
  if (!isObject(value)) return value;
  if (!Array.isArray(value)) return represent(schema, value, selections, causes);
  const items = value.map((item) => representValue(schema, item, selections, causes));
  return items.includes(undefined) ? undefined : items;
}
