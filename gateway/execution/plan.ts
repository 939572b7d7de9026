import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { applyRewrites, isOfType } from './rewrites.ts';

export type Data = Record<string, unknown>;
type Path = (string | number)[];

/** Sends one fetch of a plan to its subgraph. */
export type SendFetch = (fetch: FetchNode, variables: Data) => Promise<GraphResult>;

interface Execution {
  schema: GraphQLSchema;
  variables: Data;
  send: SendFetch;
  root: Data;
  errors: GraphQLFormattedError[];
}

/**
 * Executes the nodes of a query plan over `root`, merging what each subgraph answers into it. Errors are collected with
 * paths of the client's answer; a subgraph that fails costs its own fields only. Never throws for a subgraph's sake.
 */
export async function executePlan(node: PlanNode, execution: Execution, at: Path = []): Promise<void> {
  switch (node.kind) {
    case 'Sequence':
      for (const child of node.nodes) await executePlan(child, execution, at);
      return;
    case 'Parallel':
      await Promise.all(node.nodes.map((child) => executePlan(child, execution, at)));
      return;
    case 'Flatten':
      return executePlan(node.node, execution, [...at, ...(node.path as Path)]);
    case 'Condition': {
      const branch = execution.variables[node.condition] ? node.ifClause : node.elseClause;
      return branch && executePlan(branch, execution, at);
    }
    case 'Fetch':
      return executeFetch(node, execution, at);
    case 'Defer':
      throw new ClientError('BAD_USER_INPUT', '@defer is not supported.');
  }
}

async function executeFetch(fetch: FetchNode, execution: Execution, at: Path): Promise<void> {
  const targets = locate(execution.root, at);
  if (targets.length === 0) return;
  const variables: Data = {};
  for (const name of fetch.variableUsages ?? []) if (Object.hasOwn(execution.variables, name)) variables[name] = execution.variables[name];
  if (fetch.requires) return fetchEntities(fetch, fetch.requires, execution, at, targets, variables);
  const { data, errors } = await send(fetch, variables, execution, at);
  execution.errors.push(...errors.map((error) => placed(error, [...at, ...(error.path ?? [])] as Path)));
  if (!data) return;
  applyRewrites(execution.schema, fetch.outputRewrites, data);
  for (const target of targets) merge(target, data);
}

async function fetchEntities(fetch: FetchNode, requires: QueryPlanSelectionNode[], execution: Execution, at: Path, targets: Data[], variables: Data): Promise<void> {
  const { schema } = execution;
  const representations: Data[] = [];
  const holders: number[][] = [];
  const places = new Map<string, number>();
  targets.forEach((target, i) => {
    const representation = represent(schema, target, requires);
    if (!representation?.__typename) return;
    applyRewrites(schema, fetch.inputRewrites, representation);
    const text = JSON.stringify(representation);
    const known = places.get(text);
    if (known !== undefined) return void holders[known]?.push(i);
    places.set(text, representations.length);
    representations.push(representation);
    holders.push([i]);
  });
  if (representations.length === 0) return;
  const { data, errors } = await send(fetch, { ...variables, representations }, execution, at);
  if (errors.length > 0) {
    const paths = locatePaths(execution.root, at);
    for (const error of errors) {
      const [, entity, ...rest] = error.path ?? [];
      const where = typeof entity === 'number' ? (holders[entity] ?? []) : representations.flatMap((_, i) => holders[i] ?? []);
      for (const i of where) execution.errors.push(placed(error, [...(paths[i] ?? at), ...rest] as Path));
    }
  }
  const entities = data?._entities;
  if (!Array.isArray(entities)) return;
  entities.forEach((entity: Data | null, i) => {
    if (!entity) return;
    for (const holder of holders[i] ?? []) {
      const target = targets[holder] as Data;
      entity.__typename ??= target.__typename;
    }
    applyRewrites(schema, fetch.outputRewrites, entity);
    for (const holder of holders[i] ?? []) merge(targets[holder] as Data, entity);
  });
}

async function send(fetch: FetchNode, variables: Data, execution: Execution, at: Path): Promise<{ data: Data | null | undefined; errors: readonly GraphQLFormattedError[] }> {
  try {
    const { data, errors = [] } = await execution.send(fetch, variables);
    return { data, errors };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const { message, extensions } = error.toJSON();
    return { data: null, errors: [{ message, extensions, path: fetch.requires ? undefined : at.filter((part) => part !== '@') }] };
  }
}

const placed = (error: GraphQLFormattedError, path: Path): GraphQLFormattedError => ({ ...error, path: path.filter((part) => part !== '@') });

/** The objects a plan's path leads to, in order; `@` stands for every element of a list. */
function locate(value: unknown, path: Path, from = 0): Data[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => locate(item, path, path[from] === '@' ? from + 1 : from));
  if (from === path.length) return [value as Data];
  return locate((value as Data)[path[from] as string], path, from + 1);
}

/** The paths of the same objects in the answer, in the same order. */
function locatePaths(value: unknown, path: Path, from = 0, here: Path = []): Path[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item, i) => locatePaths(item, path, path[from] === '@' ? from + 1 : from, [...here, i]));
  if (from === path.length) return [here];
  return locatePaths((value as Data)[path[from] as string], path, from + 1, [...here, path[from] as string]);
}

/** What a subgraph needs to know of an object to find its entity; null if something it requires is missing. */
function represent(schema: GraphQLSchema, source: Data | null, selections: readonly QueryPlanSelectionNode[]): Data | null {
  if (source === null) return null;
  const made: Data = {};
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (selection.typeCondition && !isOfType(schema, source, selection.typeCondition)) continue;
      const part = represent(schema, source, selection.selections);
      if (part) merge(made, part);
      continue;
    }
    const key = selection.alias ?? selection.name;
    const value = source[key];
    if (value === undefined) return null;
    const { selections: inner } = selection;
    made[key] = inner ? representValue(schema, value, inner) : value;
  }
  return made;
}

function representValue(schema: GraphQLSchema, value: unknown, selections: readonly QueryPlanSelectionNode[]): unknown {
  if (Array.isArray(value)) return value.map((item) => representValue(schema, item, selections));
  return value === null ? null : represent(schema, value as Data, selections);
}

const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null;

/** Merges what a subgraph answered into what is there; lists element by element. */
export function merge(target: Data, source: Data): void {
  for (const key of Object.keys(source)) {
    if (key === '__proto__') continue;
    const [held, given] = [target[key], source[key]];
    if (Array.isArray(held) && Array.isArray(given)) mergeLists(held, given);
    else if (isObject(held) && isObject(given) && !Array.isArray(given)) merge(held, given);
    else if (given !== undefined && !(given === null && held !== undefined)) target[key] = given;
  }
}

function mergeLists(held: unknown[], given: unknown[]): void {
  given.forEach((value, i) => {
    const here = held[i];
    if (Array.isArray(here) && Array.isArray(value)) mergeLists(here, value);
    else if (isObject(here) && isObject(value)) merge(here, value);
    else if (value !== undefined) held[i] = value;
  });
}
