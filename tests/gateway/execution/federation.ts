import { composeServices } from '@apollo/composition';
import { Supergraph as BuiltSupergraph } from '@apollo/federation-internals';
import { type FetchNode, type PlanNode, QueryPlanner } from '@apollo/query-planner';
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  parse,
} from 'graphql';
import { prepareOperation } from '../../../gateway/execution/operation.ts';
import { type Execution, executePlan } from '../../../gateway/execution/plan.ts';
import { prepareSupergraph } from '../../../gateway/execution/prepare-supergraph.ts';
import { PLANNING, readSupergraph, type Supergraph } from '../../../gateway/supergraph.ts';
import type { GraphResult } from '../../../subgraphs/_kernel/subgraph.ts';
import { type FieldSet, joined, ownershipOf } from './ownership.ts';

export type Data = Record<string, unknown>;

/** One object of a world, the same whichever subgraph shows it. */
export interface Thing {
  type: string;
  /** The value of a field: a leaf, a Thing, an Error to throw, or lists of them. `input` reads what a `@requires` needs. */
  read(field: string, args: Data, input: (field: string) => unknown): unknown;
}

/** What a federation is about: one set of facts behind all its subgraphs. */
export interface World {
  subgraphs: readonly { name: string; sdl: string }[];
  root(operation: 'query' | 'mutation' | 'subscription'): Thing;
  /** Called before each request, for worlds that count. */
  restart?(): void;
  /** The entity a representation means, or null if this subgraph does not know it. Throws if it means none. */
  find(subgraph: string, representation: Data): Thing | null;
}

export interface Request {
  query: string;
  variables?: Data;
}

export interface Answer {
  data?: Data | null;
  errors: readonly GraphQLFormattedError[];
}

/** How one fetch reaches its subgraph; a test may stand in between. */
export type Ask = (fetch: FetchNode, variables: Data) => Promise<GraphResult>;

export interface Federation {
  world: World;
  supergraph: Supergraph;
  ask: Ask;
  /** What subgraphs were asked that they must not be asked, such as a field that is external to them. */
  violations: string[];
}

/** A Thing as one subgraph sees it: with what a representation brought, and what a `@provides` lets it show. */
interface View {
  thing: Thing;
  given: Data;
  provided: FieldSet;
}

const NOTHING: FieldSet = new Map();
const view = (thing: Thing, given: Data = {}, provided = NOTHING): View => ({ thing, given, provided });
const isThing = (value: unknown): value is Thing => typeof (value as Thing | null)?.read === 'function';

/** Composes subgraphs. Throws what composition says when they do not fit. */
export function compose(subgraphs: World['subgraphs']): string {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map(({ name, sdl }) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
  );
  if (!supergraphSdl)
    throw new GraphQLError(`The subgraphs do not compose: ${errors?.map((error) => error.message).join('\n')}`);
  return supergraphSdl;
}

/** Composes a world's subgraphs and runs them in memory. */
export function federate(world: World): Federation {
  const violations: string[] = [];
  const running = new Map<string, Ask>(
    world.subgraphs.map((subgraph) => [subgraph.name, runInMemory(world, subgraph, violations)]),
  );
  const ask: Ask = (fetch, variables) => (running.get(fetch.serviceName) as Ask)(fetch, variables);
  return { world, supergraph: supergraphOf(compose(world.subgraphs)), ask, violations };
}

/** A supergraph as the gateway holds one. */
export function supergraphOf(sdl: string): Supergraph {
  const prepared = prepareSupergraph(sdl);
  return readSupergraph(prepared, new QueryPlanner(BuiltSupergraph.build(prepared.sdl), PLANNING));
}

function runInMemory(world: World, { name, sdl }: World['subgraphs'][number], violations: string[]): Ask {
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdl),
    resolvers: resolversOf(world, name, sdl, violations) as never,
  });
  const documents = new Map<string, DocumentNode>();
  return async (fetch, variables) => {
    const document = documents.get(fetch.operation) ?? parse(fetch.operation);
    documents.set(fetch.operation, document);
    const result = await execute({
      schema,
      document,
      rootValue: view(world.root(fetch.operationKind)),
      variableValues: variables,
    });
    return JSON.parse(JSON.stringify(result)) as GraphResult;
  };
}

function resolversOf(world: World, subgraph: string, sdl: string, violations: string[]) {
  const ownership = ownershipOf(sdl);
  const complain = (sentence: string) => {
    violations.push(`${subgraph} ${sentence}`);
    return new Error(sentence);
  };
  const resolveField = (type: string, field: string): GraphQLFieldResolver<View, unknown> => {
    const { isExternal, provides } = ownership.field(type, field);
    return ({ thing, given, provided }, args) => {
      if (isExternal && !provided.has(field)) throw complain(`was asked for ${type}.${field}, which is not its own.`);
      const input = (name: string) => {
        if (Object.hasOwn(given, name)) return given[name];
        if (ownership.field(type, name).isExternal && !provided.has(name))
          throw complain(`was not given ${type}.${name}, which ${field} requires.`);
        return thing.read(name, {}, input);
      };
      return show(thing.read(field, args, input), joined(provides, provided.get(field)));
    };
  };
  const show = (value: unknown, provided: FieldSet): unknown => {
    if (value instanceof Error) throw value;
    if (Array.isArray(value)) return value.map((item) => (item instanceof Error ? item : show(item, provided)));
    return isThing(value) ? view(value, {}, provided) : value;
  };
  const resolveReference = (representation: Data) => {
    try {
      const found = world.find(subgraph, representation);
      return found && view(found, representation);
    } catch (error) {
      throw complain((error as Error).message);
    }
  };
  const resolvers: Record<string, Record<string, unknown>> = {};
  for (const [type, fields] of ownership.objects) {
    resolvers[type] = Object.fromEntries(fields.map((field) => [field, resolveField(type, field)]));
  }
  for (const type of ownership.abstracts) resolvers[type] = { __resolveType: ({ thing }: View) => thing.type };
  for (const type of ownership.entities.keys()) (resolvers[type] as Data).__resolveReference = resolveReference;
  return resolvers;
}

/**
 * Answers a request by our executor, as the gateway does; a subscription as one event of its stream, on which the rest of
 * its plan is run. `ask` may stand between it and the subgraphs.
 */
export async function answer(
  { world, supergraph, ask }: Pick<Federation, 'world' | 'supergraph' | 'ask'>,
  request: Request,
): Promise<Answer> {
  world.restart?.();
  const operation = prepareOperation(supergraph, request.query, undefined);
  const { values, errors: faults } = operation.variables(request.variables ?? {});
  if (faults.length > 0) return { errors: faults };
  const errors: GraphQLFormattedError[] = [];
  const execution: Execution = {
    schema: supergraph.whole,
    variables: { ...values, ...request.variables },
    root: operation.introspect(values),
    errors,
    send: ({ subgraph, kind, body }) => {
      const { query, variables = {} } = JSON.parse(body) as Request;
      return ask({ serviceName: subgraph, operation: query, operationKind: kind } as FetchNode, variables);
    },
  };
  const planned = operation.planFor(values);
  const node: PlanNode | undefined =
    planned?.kind === 'Subscription'
      ? { kind: 'Sequence', nodes: [planned.primary, ...(planned.rest ? [planned.rest] : [])] }
      : planned;
  if (node) await executePlan(node, execution);
  const { data, errors: found } = operation.complete(execution.root, values);
  const text = execution.isFaulty ? undefined : operation.write(execution.root, values);
  if ((text === undefined) !== (found.length > 0 || execution.isFaulty === true))
    throw new Error(`An answer with ${found.length} errors was written as ${text}.`);
  if (text !== undefined && text !== JSON.stringify(data))
    throw new Error(`An answer was written as ${text}, and completed as ${JSON.stringify(data)}.`);
  return { data, errors: [...errors, ...found.map((error) => error.toJSON())] };
}
