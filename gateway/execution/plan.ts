import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { type GraphQLFormattedError, type GraphQLSchema, isObjectType } from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { type Errors, explain, giveUp, readErrors, sortErrors } from './explain.ts';
import { type Data, isObject, type Path } from './faults.ts';
import { locate, merge } from './merge.ts';
import { entitiesOf } from './representations.ts';
import { applyRewrites } from './rewrites.ts';

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
  if (fetch.requires) return fetchEntities(fetch, execution, targets, variables);
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
  execution: Execution,
  targets: readonly Data[],
  variables: Data,
): Promise<void> {
  const { schema } = execution;
  const asked = entitiesOf(schema, fetch, targets);
  if (asked.length === 0) return;
  const representations = asked.map(({ representation }) => representation);
  const { data, errors } = await send(fetch, { ...variables, representations }, execution);
  const entities: readonly unknown[] = Array.isArray(data?._entities) ? data._entities : [];
  const { ofEntity, general } = sortErrors(errors);
  if (asked.every((_, i) => isObject(entities[i]))) execution.errors.push(...general);
  asked.forEach(({ holders }, i) => {
    const entity = entities[i];
    const said = ofEntity.get(i) ?? (isObject(entity) ? [] : general);
    if (entity === null && said.length === 0) return; // this subgraph does not know it
    const answer = isObject(entity) ? entity : {};
    const rest = explain(fetch, answer, said);
    if (answer === entity) execution.errors.push(...rest);
    else giveUp(fetch, answer, said[0]);
    const typeName = answer.__typename;
    answer.__typename ??= holders[0]?.__typename;
    applyRewrites(schema, fetch.outputRewrites, answer);
    for (const target of holders) {
      merge(target, answer);
      // of an interface object only the domains that know its types can tell which it is
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
