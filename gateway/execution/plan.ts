import type { FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { type GraphQLFormattedError, type GraphQLSchema, isObjectType, parse } from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { blame, type Data, faultsOf, isObject, note, own, type Path } from './faults.ts';
import { fragmentsOf, operationOf, topFields } from './fields.ts';
import { applyRewrites, isOfType } from './rewrites.ts';

/** Sends one fetch of a plan to its subgraph. What it answers with is the executor's to keep and to change. */
export type SendFetch = (fetch: FetchNode, variables: Data) => Promise<GraphResult>;

/** A plan that depends on the operation's variables. */
export interface ChoiceNode {
  kind: 'Choice';
  choose(variables: Data): PlanNode | undefined;
}

interface Execution {
  schema: GraphQLSchema;
  variables: Data;
  send: SendFetch;
  root: Data;
  /** What subgraphs said that belongs to no place of the answer. */
  errors: GraphQLFormattedError[];
}

type Errors = readonly GraphQLFormattedError[];

const UNANSWERED = new ClientError(
  'SUBGRAPH_UNAVAILABLE',
  'A part of the answer is not available right now. Please try again.',
).toJSON();

/**
 * Executes the nodes of a query plan over `root`, merging what each subgraph answers into it. What a subgraph fails to
 * answer costs its own fields only, and is noted where it is missing. Never throws for a subgraph's sake.
 */
export async function executePlan(node: PlanNode | ChoiceNode, execution: Execution, at: Path = []): Promise<void> {
  switch (node.kind) {
    case 'Sequence':
      for (const child of node.nodes) await executePlan(child, execution, at);
      return;
    case 'Parallel':
      await Promise.all(node.nodes.map((child) => executePlan(child, execution, at)));
      return;
    case 'Flatten':
      return executePlan(node.node, execution, [...at, ...node.path]);
    case 'Choice': {
      const chosen = node.choose(execution.variables);
      return chosen && executePlan(chosen, execution, at);
    }
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
  for (const name of fetch.variableUsages ?? [])
    if (Object.hasOwn(execution.variables, name)) variables[name] = execution.variables[name];
  if (fetch.requires) return fetchEntities(fetch, fetch.requires, execution, targets, variables);
  const { data, errors } = await send(fetch, variables, execution);
  const answer = data ?? {};
  const rest = explain(fetch, answer, errors);
  if (data) execution.errors.push(...rest);
  else giveUp(fetch, answer, errors[0]);
  applyRewrites(execution.schema, fetch.outputRewrites, answer);
  for (const target of targets) merge(target, answer);
}

async function fetchEntities(
  fetch: FetchNode,
  requires: QueryPlanSelectionNode[],
  execution: Execution,
  targets: readonly Data[],
  variables: Data,
): Promise<void> {
  const { schema } = execution;
  const representations: Data[] = [];
  const holders: Data[][] = [];
  const places = new Map<string, number>();
  for (const target of targets) {
    const causes: GraphQLFormattedError[] = [];
    const representation = represent(schema, target, requires, causes);
    if (!representation && causes[0]) giveUp(fetch, target, causes[0], []);
    if (!representation?.__typename) continue;
    applyRewrites(schema, fetch.inputRewrites, representation);
    const text = JSON.stringify(representation);
    const known = places.get(text);
    if (known !== undefined) {
      holders[known]?.push(target);
      continue;
    }
    places.set(text, representations.length);
    representations.push(representation);
    holders.push([target]);
  }
  if (representations.length === 0) return;

  const { data, errors } = await send(fetch, { ...variables, representations }, execution);
  const entities: readonly unknown[] = Array.isArray(data?._entities) ? data._entities : [];
  const [ofEntity, general] = sortErrors(errors);
  if (holders.every((_, i) => isObject(entities[i]))) execution.errors.push(...general);
  holders.forEach((sharing, i) => {
    const entity = entities[i];
    const said = ofEntity.get(i) ?? (isObject(entity) ? [] : general);
    if (entity === null && said.length === 0) return; // this subgraph does not know it
    const answer = isObject(entity) ? entity : {};
    const rest = explain(fetch, answer, said);
    if (answer === entity) execution.errors.push(...rest);
    else giveUp(fetch, answer, said[0]);
    const typeName = answer.__typename;
    answer.__typename ??= sharing[0]?.__typename;
    applyRewrites(schema, fetch.outputRewrites, answer);
    for (const target of sharing) {
      merge(target, answer);
      if (typeName && isObjectType(schema.getType(String(typeName)))) target.__typename = typeName;
    }
  });
}

async function send(
  fetch: FetchNode,
  variables: Data,
  execution: Execution,
): Promise<{ data: Data | null; errors: Errors }> {
  try {
    const { data, errors } = await execution.send(fetch, variables);
    return { data: isObject(data) ? data : null, errors: readErrors(errors) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { data: null, errors: [error.toJSON()] };
  }
}

const readErrors = (errors: unknown): Errors =>
  Array.isArray(errors)
    ? errors.filter(isObject).map(({ message, path, extensions }) => ({
        message: String(message),
        ...(Array.isArray(path) ? { path } : {}),
        ...(isObject(extensions) ? { extensions } : {}),
      }))
    : [];

/** Errors by the entity they are about, their paths from there; and those about none. */
function sortErrors(errors: Errors): [ReadonlyMap<number, Errors>, Errors] {
  const perEntity = new Map<number, GraphQLFormattedError[]>();
  const general: GraphQLFormattedError[] = [];
  for (const error of errors) {
    const [, index, ...path] = error.path ?? [];
    if (typeof index !== 'number') general.push({ ...error, path: undefined });
    else perEntity.set(index, [...(perEntity.get(index) ?? []), { ...error, path }]);
  }
  return [perEntity, general];
}

/** Notes on what a subgraph answered why parts of it are missing. Answers the errors that are about nothing missing. */
function explain(fetch: FetchNode, answer: Data, errors: Errors): GraphQLFormattedError[] {
  const rename = renaming(fetch);
  return errors
    .filter((error) => !blame(answer, error, error.path ?? [], rename))
    .map(({ path: _nowhere, ...error }) => error);
}

/** Notes on an object why there is no answer to a whole fetch. */
function giveUp(
  fetch: FetchNode,
  object: Data,
  error: GraphQLFormattedError = UNANSWERED,
  path: Path = error.path ?? [],
): void {
  const rename = renaming(fetch);
  note(
    object,
    ...keysOf(fetch).map((key) => ({ error, at: [rename(key)], path: (path.length > 0 ? path : [key]).map(rename) })),
  );
}

/** The planner's own aliases, which are taken off before an answer is merged. */
function renaming({ outputRewrites = [] }: FetchNode): (key: string | number) => string | number {
  const names = new Map(
    outputRewrites.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1), rewrite.renameKeyTo]] : [],
    ),
  );
  return (key) => names.get(key as string) ?? key;
}

/** The keys a fetch asks of each object it is for. */
function keysOf({ operation, requires }: FetchNode): string[] {
  const document = parse(operation, { noLocation: true });
  const fragments = fragmentsOf(document);
  const fields = topFields(operationOf(document).selectionSet, fragments);
  const asked = requires
    ? fields.flatMap(({ selectionSet }) => (selectionSet ? topFields(selectionSet, fragments) : []))
    : fields;
  return [...new Set(asked.map(({ alias, name }) => alias?.value ?? name.value))];
}

/** The objects a plan's path leads to, in order; `@` stands for every element of a list. */
function locate(value: unknown, path: Path, from = 0): Data[] {
  if (!isObject(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item) => locate(item, path, path[from] === '@' ? from + 1 : from));
  if (from === path.length) return [value];
  return locate(own(value, path[from] as string), path, from + 1);
}

/** What a subgraph needs to know of an object to find its entity; undefined if any of it is missing, with the causes. */
function represent(
  schema: GraphQLSchema,
  source: Data,
  selections: readonly QueryPlanSelectionNode[],
  causes: GraphQLFormattedError[],
): Data | undefined {
  const made: Data = {};
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (selection.typeCondition && !isOfType(schema, source, selection.typeCondition)) continue;
      const part = represent(schema, source, selection.selections, causes);
      if (!part) return undefined;
      merge(made, part);
      continue;
    }
    const key = selection.alias ?? selection.name;
    const held = own(source, key);
    const value = selection.selections ? representValue(schema, held, selection.selections, causes) : held;
    const fault = faultsOf(source)?.find(({ at }) => at?.[0] === key);
    if (fault) fault.isFelt = true;
    if (fault && value === undefined) causes.push(fault.error);
    if (value === undefined) return undefined;
    made[key] = value;
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

/** Merges what a subgraph answered into what is there; lists element by element. What is there is never lost to a null. */
export function merge(target: Data, source: Data): void {
  for (const key of Object.keys(source)) {
    if (key === '__proto__') continue;
    const [held, given] = [own(target, key), source[key]];
    if (isObject(held) && isObject(given)) merge(held, given);
    else if (held === undefined || held === null) target[key] = given;
  }
  const faults = faultsOf(source);
  if (faults) note(target, ...faults);
}
