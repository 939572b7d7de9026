import { operationFromDocument } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, getOperationAST, getVariableValues, GraphQLError, type GraphQLObjectType, Kind, type OperationDefinitionNode, parse, validate } from 'graphql';
import { badInput } from '../../schema/errors.ts';
import type { Feature } from '../../schema/features.ts';
import { checkDocument, MAX_TOKENS } from '../limits.ts';
import type { Supergraph } from '../supergraph.ts';
import { renameFields } from './aliases.ts';
import { conditionVariables, decideConstants, includesWith } from './conditions.ts';
import type { Data, Path } from './faults.ts';
import { fragmentsOf, operationOf, topFields, withTopFields } from './fields.ts';
import { introspect, isIntrospective } from './introspection.ts';
import { compileShape, complete, type FieldsOf } from './shape.ts';
import { spellOutSteps } from './steps.ts';

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
  complete(data: Data, variables: Data, isExplained?: (path: Path) => boolean): { data: Data | null; errors: GraphQLError[] };
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

/** Shapes kept per operation: one for each way its conditions have been met. */
const MAX_SHAPES = 64;

function compile(supergraph: Supergraph, document: DocumentNode, definition: OperationDefinitionNode): Operation {
  const { schema } = supergraph;
  const fragments = fragmentsOf(document);
  const own: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments.values()] };
  const rootType = schema.getRootType(definition.operation) as GraphQLObjectType;
  const fields = topFields(definition.selectionSet, fragments);
  const isIntrospection = fields.some(isIntrospective);
  const shapes = new Map<string, FieldsOf>();
  const conditions = conditionVariables(own);
  const decided = decideConstants(own);
  const steps = definition.operation === 'mutation' ? spellOutSteps(operationOf(decided), fragmentsOf(decided)) : undefined;

  return {
    kind: definition.operation,
    name: definition.name?.value ?? '',
    document: own,
    plan: planOf(supergraph, steps ? { ...decided, definitions: decided.definitions.map((node) => (node.kind === Kind.OPERATION_DEFINITION ? steps.definition : node)) } : decided),
    rootFeatures: supergraph.rootFeatures(definition.operation, fields.map(({ name }) => name.value)),
    isIntrospection,
    variables(given) {
      const { coerced = {}, errors = [] } = getVariableValues(schema, definition.variableDefinitions ?? [], given, { maxErrors: 20 });
      const undecided = conditions.filter((name) => coerced[name] === null).map((name) => new GraphQLError(`Variable "$${name}" decides what is asked for and cannot be null.`));
      return { values: { ...coerced, ...steps?.decide(coerced) }, errors: [...errors, ...undecided].map((error) => new GraphQLError(error.message, { nodes: error.nodes, extensions: { ...error.extensions, code: 'BAD_USER_INPUT' } })) };
    },
    introspect: (variables) => (isIntrospection ? introspect(schema, definition, fragments, variables) : {}),
    complete(data, variables) {
      const key = conditions.map((name) => (variables[name] ? '1' : '0')).join('');
      let fieldsOf = shapes.get(key);
      if (!fieldsOf) {
        if (shapes.size >= MAX_SHAPES) shapes.clear();
        shapes.set(key, (fieldsOf = compileShape(schema, fragments, includesWith(variables), [definition.selectionSet])));
      }
      return complete(schema, rootType, fieldsOf, data);
    },
  };
}

/** The plan for what subgraphs are asked; empty when there is nothing to ask them. */
function planOf({ planner, apiSchema }: Supergraph, document: DocumentNode): QueryPlan {
  const definition = operationOf(document);
  const fragments = fragmentsOf(document);
  const selectionSet = withTopFields(definition.selectionSet, fragments, (field) => !isIntrospective(field));
  if (topFields(selectionSet, fragments).every(({ name }) => name.value.startsWith('__'))) return { kind: 'QueryPlan' };
  const asked = renameFields({ kind: Kind.DOCUMENT, definitions: [{ ...definition, selectionSet }, ...fragments.values()] });
  return planner.buildQueryPlan(operationFromDocument(apiSchema, asked, { operationName: definition.name?.value, validate: false }));
}
