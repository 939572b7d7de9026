import { operationFromDocument } from '@apollo/federation-internals';
import type { FetchNode, PlanNode, QueryPlanner, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  executeSync,
  type GraphQLError,
  type GraphQLObjectType,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { Supergraph } from '../supergraph.ts';
import { renameFields, travelName } from './aliases.ts';
import { complete } from './complete.ts';
import { withoutEmptySets } from './conditions.ts';
import { keysOf } from './explain.ts';
import type { Data } from './faults.ts';
import { fragmentsOf, isIntrospective, operationOf, withTopFields } from './fields.ts';
import { askOne, askRequired } from './required-arguments.ts';
import { checkRequirements } from './requirements.ts';
import { compileShape } from './shape.ts';
import { writeAnswer } from './write.ts';

/** An operation as its conditions make it. */
export interface Variant {
  node: PlanNode | SubscriptionNode | undefined;
  /** Answers for `__schema` and `__type`, which no subgraph is asked; undefined if none is asked for. */
  introspect: ((variables: Data) => Data) | undefined;
  /** Writes merged data as JSON text in the shape asked for; undefined if something in it is not as it must be. */
  write(data: Data): string | undefined;
  /** Makes merged data into the shape asked for, and finds what is wrong with it. */
  complete(data: Data): { data: Data | null; errors: GraphQLError[] };
}

export function compileVariant(supergraph: Supergraph, document: DocumentNode): Variant {
  const { schema } = supergraph;
  const definition = operationOf(document);
  const fragments = fragmentsOf(document);
  const rootType = schema.getRootType(definition.operation) as GraphQLObjectType;
  const shape = compileShape(schema, fragments, rootType, definition.selectionSet);
  const introspection = introspectionOf(document);
  return {
    node: planOf(supergraph, document),
    introspect: introspection
      ? (variables) => executeSync({ schema, document: introspection, variableValues: variables }).data ?? {}
      : undefined,
    write: (data) => writeAnswer(shape, data),
    complete: (data) => complete(shape, data),
  };
}

/**
 * The plan for what subgraphs are asked, if there is anything to ask them. Root fields stand in no fragment there, or the
 * planner may change the order of a mutation's.
 */
function planOf(supergraph: Supergraph, document: DocumentNode): Variant['node'] {
  const asked = withTopFields(document, (field) => (field.name.value.startsWith('__') ? [] : [field]));
  const { selectionSet, name } = operationOf(asked);
  if (selectionSet.selections.length === 0) return undefined;
  const operation = operationFromDocument(supergraph.apiSchema, renameFields(withoutEmptySets(asked)), {
    operationName: name?.value,
    validate: false,
  });
  const node = plan(supergraph, operation);
  checkRequirements(supergraph, node);
  checkRoots(operationOf(asked), node);
  return node && withRequired(supergraph, node);
}

/** Throws INTERNAL where the planner found no way to a field and would leave it out without a word. */
function checkRoots({ selectionSet }: OperationDefinitionNode, node: Variant['node']): void {
  const planned = new Set(rootFetches(node).flatMap(keysOf));
  for (const field of selectionSet.selections) {
    if (field.kind !== Kind.FIELD || field.name.value === '__typename' || planned.has(travelName(field))) continue;
    throw new ClientError('INTERNAL', `No subgraph can answer what is asked of ${field.name.value}.`);
  }
}

function rootFetches(node: Variant['node']): FetchNode[] {
  switch (node?.kind) {
    case 'Fetch':
      return [node];
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(rootFetches);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap(rootFetches);
    case 'Subscription':
      return [node.primary];
    default:
      return [];
  }
}

function withRequired({ stands, requirements }: Supergraph, node: PlanNode | SubscriptionNode): Variant['node'] {
  const requires = (subgraph: string, type: string, field: string) =>
    requirements.requiredPaths.get(`${subgraph}/${type}.${field}`) ?? [];
  if (node.kind !== 'Subscription') return askRequired(node, stands, requires);
  const rest = node.rest && askRequired(node.rest, stands, requires);
  return { ...node, primary: askOne(node.primary, stands), ...(rest ? { rest } : {}) };
}

function plan({ planner }: Supergraph, operation: Parameters<QueryPlanner['buildQueryPlan']>[0]): Variant['node'] {
  try {
    return planner.buildQueryPlan(operation).node;
  } catch (error) {
    if (!/^Too many options|exceeds (the )?limit/i.test((error as Error).message)) throw error;
    throw new ClientError(
      'OPERATION_LIMIT',
      'There are too many ways to answer this operation. Please ask for less at once.',
    );
  }
}

/** What an operation asks about the schema, under the names its fields travel under. */
function introspectionOf(document: DocumentNode): DocumentNode | undefined {
  const asked = withTopFields(document, (field) =>
    isIntrospective(field) ? [{ ...field, alias: { kind: Kind.NAME, value: travelName(field) } }] : [],
  );
  if (operationOf(asked).selectionSet.selections.length === 0) return undefined;
  const used = new Set<string>();
  visit(asked, { VariableDefinition: () => false, Variable: ({ name }) => void used.add(name.value) });
  return visit(asked, { VariableDefinition: ({ variable }) => (used.has(variable.name.value) ? undefined : null) });
}
