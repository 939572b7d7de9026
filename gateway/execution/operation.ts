import { operationFromDocument } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type FragmentDefinitionNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';
import { badInput } from '../../schema/errors.ts';
import type { Feature } from '../../schema/features.ts';
import { checkDocument, MAX_TOKENS } from '../limits.ts';
import type { Supergraph } from '../supergraph.ts';
import { renameAliases } from './aliases.ts';
import { compileShape, complete, type Includes } from './shape.ts';

type Data = Record<string, unknown>;

/** An operation made ready once: parsed, admitted, validated, planned, and the shape of its answer compiled. */
export interface Operation {
  kind: 'query' | 'mutation' | 'subscription';
  name: string;
  document: DocumentNode;
  plan: QueryPlan;
  /** Features without which none of its root fields has anything to say. */
  rootFeatures: readonly Feature[];
  /** The variables as subgraphs get them, or BAD_USER_INPUT errors. */
  variables(given: Data): { values: Data; errors: readonly GraphQLError[] };
  /** Answers for `__schema` and `__type`, which no subgraph is asked. */
  introspect(variables: Data): Data;
  isIntrospection: boolean;
  /** Writes merged data in the shape asked for. */
  complete(data: Data, variables: Data, isExplained: (path: readonly (string | number)[]) => boolean): { data: Data | null; errors: GraphQLError[] };
}

/** Parses, admits, validates and plans. Throws a GraphQLError, or an array of them, with codes clients know. */
export function prepareOperation(supergraph: Supergraph, query: string, operationName: string | null | undefined): Operation {
  const document = parseOrRefuse(query);
  checkDocument(document);
  const faults = validate(supergraph.schema, document, undefined, { maxErrors: 20, hideSuggestions: true });
  if (faults.length > 0) throw faults.map((fault) => new GraphQLError(fault.message, { nodes: fault.nodes, extensions: { code: 'BAD_USER_INPUT' } }));
  const definition = getOperationAST(document, operationName);
  if (!definition) throw badInput(operationName ? `There is no operation named ${operationName}.` : 'Say which operation to run: the document has several or none.');
  return compile(supergraph, document, definition);
}

function parseOrRefuse(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const code = /token limit/i.test(error.message) ? 'OPERATION_LIMIT' : 'BAD_USER_INPUT';
    throw new GraphQLError(error.message, { source: error.source, positions: error.positions, extensions: { code } });
  }
}

function compile(supergraph: Supergraph, document: DocumentNode, definition: OperationDefinitionNode): Operation {
  const { schema } = supergraph;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const own: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments.values()] };
  const rootType = schema.getRootType(definition.operation as never) as GraphQLObjectType;
  const fieldNodes = rootFields(definition, fragments);
  const introspective = fieldNodes.filter((node) => node.name.value === '__schema' || node.name.value === '__type');
  const isAllOurs = fieldNodes.every((node) => node.name.value.startsWith('__'));
  const plan = isAllOurs
    ? ({ kind: 'QueryPlan' } as QueryPlan)
    : supergraph.planner.buildQueryPlan(operationFromDocument(supergraph.apiSchema, renameAliases(own), { operationName: definition.name?.value, validate: false }));
  const shapes = new Map<string, ReturnType<ReturnType<typeof compileShape>>>();
  const conditions = conditionVariables(own);

  return {
    kind: definition.operation,
    name: definition.name?.value ?? '',
    document: own,
    plan,
    rootFeatures: supergraph.rootFeatures(definition.operation, fieldNodes.map((node) => node.name.value)),
    isIntrospection: introspective.length > 0,
    variables(given) {
      const { coerced, errors } = getVariableValues(schema, definition.variableDefinitions ?? [], given, { maxErrors: 20 });
      if (errors) return { values: {}, errors: errors.map((error) => new GraphQLError(error.message, { nodes: error.nodes, extensions: { ...error.extensions, code: 'BAD_USER_INPUT' } })) };
      return { values: coerced, errors: [] };
    },
    introspect(variables) {
      if (introspective.length === 0) return {};
      const used = new Set<string>();
      for (const node of introspective) visit(node, { Variable: ({ name }) => void used.add(name.value) });
      const { data } = executeSync({
        schema,
        document: {
          kind: Kind.DOCUMENT,
          definitions: [
            {
              ...definition,
              directives: [],
              variableDefinitions: (definition.variableDefinitions ?? []).filter((variable) => used.has(variable.variable.name.value)),
              selectionSet: { kind: Kind.SELECTION_SET, selections: introspective },
            },
            ...fragments.values(),
          ],
        },
        variableValues: variables,
      });
      return { ...data };
    },
    complete(data, variables, isExplained) {
      const key = conditions.map((name) => (variables[name] ? '1' : '0')).join('');
      let fieldsOf = shapes.get(key);
      if (!fieldsOf) {
        fieldsOf = compileShape(schema, fragments, includesWith(variables))([definition.selectionSet]);
        shapes.set(key, fieldsOf);
      }
      return complete(schema, rootType, fieldsOf, data, isExplained);
    },
  };
}

/** The root fields of an operation, fragments opened. */
function rootFields(definition: OperationDefinitionNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): FieldNode[] {
  const open = (set: OperationDefinitionNode['selectionSet']): FieldNode[] =>
    set.selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      return inner ? open(inner.selectionSet) : [];
    });
  return open(definition.selectionSet);
}

function conditionVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: (node) => {
      if (node.name.value !== 'skip' && node.name.value !== 'include') return;
      for (const argument of node.arguments ?? []) if (argument.value.kind === Kind.VARIABLE) names.add(argument.value.name.value);
    },
  });
  return [...names].sort();
}

function includesWith(variables: Data): Includes {
  return ({ directives }) =>
    (directives as OperationDefinitionNode['directives'] & {})?.every(({ name, arguments: given }) => {
      const condition = given?.[0]?.value;
      if (!condition || (name.value !== 'skip' && name.value !== 'include')) return true;
      const holds = condition.kind === Kind.VARIABLE ? Boolean(variables[condition.name.value]) : condition.kind === Kind.BOOLEAN && condition.value;
      return name.value === 'include' ? holds : !holds;
    }) ?? true;
}
