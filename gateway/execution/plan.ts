import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { type GraphQLFormattedError, type GraphQLSchema, isObjectType } from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { inSpan, isTracing } from '../../subgraphs/_kernel/telemetry.ts';
import { Calls, type SendCall } from './calls.ts';
import { type Errors, explain, giveUp, isLacking, readErrors, sortErrors } from './explain.ts';
import { type Data, isObject, noteUnknown } from './faults.ts';
import { Locator, mergeIntoAll } from './merge.ts';
import { type Entity, entitiesOf, representer } from './representations.ts';
import { applyRewrites } from './rewrites.ts';

/** Entities a subgraph is asked about at once; more are asked for in parts, side by side. */
const MAX_ENTITIES = 1_000;

/** A plan that depends on the operation's variables. */
export interface ChoiceNode {
  kind: 'Choice';
  choose(variables: Data): PlanNode | undefined;
}

/** What one run of a plan works on. */
export interface Execution {
  /** The schema by which subgraphs know each other's types. */
  schema: GraphQLSchema;
  variables: Data;
  send: SendCall;
  root: Data;
  /** What subgraphs said that belongs to no place of the answer. */
  errors: GraphQLFormattedError[];
  /** Whether anything went wrong on the way, so that the answer must say what. */
  isFaulty?: boolean;
}

interface Run extends Execution {
  calls: Calls;
  locator: Locator;
}

type Path = readonly string[];

interface Compiler {
  schema: GraphQLSchema;
  /** Each path of the plan once, so that what is found at it can be remembered by it. */
  paths: Map<string, Path>;
}

/** A part of a plan, compiled: everything that is the same for each run is worked out once. */
type Step = (run: Run) => Promise<void> | undefined;

const compiled = new WeakMap<PlanNode | ChoiceNode, { step: Step; mayMerge: boolean }>();

/**
 * Executes a query plan over `root`, merging what each subgraph answers into it. What a subgraph fails to answer costs
 * its own fields only, and is noted where it is missing. Never throws for a subgraph's sake.
 */
export async function executePlan(node: PlanNode | ChoiceNode, execution: Execution): Promise<void> {
  if (node.kind === 'Choice') {
    const chosen = node.choose(execution.variables);
    return chosen && executePlan(chosen, execution);
  }
  let plan = compiled.get(node);
  if (!plan) {
    const paths = new Map<string, Path>();
    plan = { step: compileNode({ schema: execution.schema, paths }, node, []), mayMerge: hasRivals(node) };
    compiled.set(node, plan);
  }
  const run = Object.assign(execution, {
    calls: new Calls(execution.send, execution.variables, plan.mayMerge),
    locator: new Locator(execution.root),
  });
  await plan.step(run);
}

/** Merges what a subscription's event says, as the answer to its plan's primary. */
export function acceptEvent(primary: FetchNode, result: GraphResult, execution: Execution): void {
  const { data, errors } = readResult(result);
  acceptRoot(primary, execution, [execution.root], data, errors);
}

/** Gives a node of a plan a span of its own while a trace is being recorded. */
const traced =
  (name: string, step: Step): Step =>
  (run) =>
    isTracing() ? inSpan(name, {}, async () => step(run)) : step(run);

function compileNode(compiler: Compiler, node: PlanNode, path: Path): Step {
  switch (node.kind) {
    case 'Sequence': {
      const steps = node.nodes.map((child) => compileNode(compiler, child, path));
      return traced('plan sequence', async (run) => {
        for (const step of steps) await step(run);
      });
    }
    case 'Parallel': {
      const steps = node.nodes.map((child) => compileNode(compiler, child, path));
      return traced('plan parallel', async (run) => {
        await Promise.all(steps.map((step) => step(run)));
      });
    }
    case 'Flatten':
      return traced(
        `plan flatten ${node.path.join('.')}`,
        compileNode(compiler, node.node, onePath(compiler, [...path, ...node.path.map(String)])),
      );
    case 'Condition': {
      const [met, unmet] = [node.ifClause, node.elseClause].map((child) => child && compileNode(compiler, child, path));
      return (run) => (run.variables[node.condition] ? met : unmet)?.(run);
    }
    case 'Fetch':
      return node.requires ? compileEntityFetch(compiler.schema, node, path) : compileFetch(node, path);
    case 'Defer':
      throw new ClientError('BAD_USER_INPUT', '@defer is not supported.');
  }
}

function onePath({ paths }: Compiler, path: Path): Path {
  const text = path.join('.');
  const known = paths.get(text) ?? path;
  paths.set(text, known);
  return known;
}

function compileFetch(fetch: FetchNode, path: Path): Step {
  return async (run) => {
    const targets = run.locator.at(path);
    if (targets.length === 0) return;
    const { data, errors } = await resultOf(run.calls.ask(fetch));
    acceptRoot(fetch, run, targets, data, errors);
    run.locator.isShared ||= targets.length > 1;
    run.locator.forget();
  };
}

function acceptRoot(
  fetch: FetchNode,
  execution: Execution,
  targets: readonly Data[],
  data: Data | null,
  errors: Errors,
): void {
  const answer = data ?? {};
  if (errors.length > 0 || !data || isLacking(fetch, data)) {
    execution.isFaulty = true;
    const rest = explain(fetch, answer, errors);
    if (data && errors.length > 0) execution.errors.push(...rest);
    else giveUp(fetch, answer, errors[0]);
  }
  applyRewrites(execution.schema, fetch.outputRewrites, answer);
  mergeIntoAll(targets, answer);
}

function compileEntityFetch(schema: GraphQLSchema, fetch: FetchNode, path: Path): Step {
  const represent = representer(schema, fetch);
  return async (run) => {
    const asked = entitiesOf(represent, fetch, run.locator.at(path), run);
    if (asked.length === 0) return;
    if (asked.length <= MAX_ENTITIES) await askFor(fetch, run, asked);
    else await Promise.all(partsOf(asked).map((part) => askFor(fetch, run, part)));
    run.locator.forget();
  };
}

function partsOf(asked: readonly Entity[]): (readonly Entity[])[] {
  const parts: (readonly Entity[])[] = [];
  for (let from = 0; from < asked.length; from += MAX_ENTITIES) parts.push(asked.slice(from, from + MAX_ENTITIES));
  return parts;
}

async function askFor(fetch: FetchNode, run: Run, asked: readonly Entity[]): Promise<void> {
  const representations = `[${asked.map(({ text }) => text).join(',')}]`;
  const { data, errors } = await resultOf(run.calls.askEntities({ fetch, representations }));
  const entities = entitiesIn(data, asked.length);
  if (errors.length > 0 || !entities.every(isObject) || entities.length === 0)
    return acceptFaulty(fetch, run, asked, entities, errors);
  asked.forEach(({ holders }, i) => {
    accept(fetch, run, holders, entities[i] as Data);
  });
}

/** What a subgraph says of each of the entities it was asked about; nothing if that is no list with a place for each. */
function entitiesIn(data: Data | null, count: number): readonly unknown[] {
  const list = data?._entities;
  return Array.isArray(list) && list.length === count && !list.some(Array.isArray) ? list : [];
}

/** Takes over what a subgraph says of entities where some of them, or parts of them, are missing. */
function acceptFaulty(
  fetch: FetchNode,
  run: Run,
  asked: readonly Entity[],
  entities: readonly unknown[],
  errors: Errors,
): void {
  const { ofEntity, general } = sortErrors(errors);
  if (asked.every((_, i) => isObject(entities[i]))) run.errors.push(...general);
  asked.forEach(({ holders }, i) => {
    const entity = entities[i];
    const said = ofEntity.get(i) ?? (isObject(entity) ? [] : general);
    run.isFaulty = true;
    if (entity === null && said.length === 0) {
      for (const holder of holders) noteUnknown(holder);
      return;
    }
    const answer = isObject(entity) ? entity : {};
    const rest = explain(fetch, answer, said);
    if (answer === entity) run.errors.push(...rest);
    else giveUp(fetch, answer, said[0]);
    accept(fetch, run, holders, answer);
  });
}

function accept({ outputRewrites }: FetchNode, run: Run, holders: readonly Data[], answer: Data): void {
  const typeName = answer.__typename;
  answer.__typename ??= holders[0]?.__typename;
  if (outputRewrites) applyRewrites(run.schema, outputRewrites, answer);
  if (holders.length > 1) run.locator.isShared ||= hasObjects(answer);
  mergeIntoAll(holders, answer);
  // of an interface object only the domains that know its types can tell which it is
  if (typeName !== undefined && isObjectType(run.schema.getType(String(typeName))))
    for (const target of holders) target.__typename = typeName;
}

function hasObjects(answer: Data): boolean {
  for (const key in answer) if (isObject(answer[key])) return true;
  return false;
}

async function resultOf(asked: Promise<GraphResult>): Promise<{ data: Data | null; errors: Errors }> {
  try {
    return readResult(await asked);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { data: null, errors: [error.toJSON()] };
  }
}

const NO_ERRORS: Errors = [];

function readResult({ data, errors }: GraphResult): { data: Data | null; errors: Errors } {
  return { data: isObject(data) ? data : null, errors: errors === undefined ? NO_ERRORS : readErrors(errors) };
}

/** Whether two fetches of entities, of one subgraph, might be sent at the same time. */
function hasRivals(node: PlanNode): boolean {
  const seen = new Set<string>();
  let found = false;
  const walk = (inner: PlanNode | undefined): void => {
    if (!inner) return;
    if (inner.kind === 'Sequence' || inner.kind === 'Parallel') inner.nodes.forEach(walk);
    else if (inner.kind === 'Flatten') walk(inner.node);
    else if (inner.kind === 'Condition') [inner.ifClause, inner.elseClause].forEach(walk);
    else if (inner.kind === 'Fetch' && inner.requires) {
      found ||= seen.has(inner.serviceName);
      seen.add(inner.serviceName);
    }
  };
  walk(node);
  return found;
}
