import type { PlanNode, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { badInput } from '../../schema/errors.ts';
import type { Feature } from '../../schema/features.ts';
import { checkDocument, MAX_TOKENS } from '../limits.ts';
import type { Supergraph } from '../supergraph.ts';
import { conditionVariables, decide } from './conditions.ts';
import type { Data, Path } from './faults.ts';
import { fragmentsOf, isIntrospective, topFields } from './fields.ts';
import type { ChoiceNode } from './plan.ts';
import { compileVariant, type Variant } from './variant.ts';

/** An operation made ready once: parsed, admitted, validated, planned, and the shape of its answer compiled. */
export interface Operation {
  kind: 'query' | 'mutation' | 'subscription';
  name: string;
  document: DocumentNode;
  /** Without a node when there is nothing to ask subgraphs. */
  plan: { node?: PlanNode | SubscriptionNode | ChoiceNode };
  /** The plan for these variables, if there is anything to ask subgraphs. */
  planFor(variables: Data): PlanNode | SubscriptionNode | undefined;
  /** Features without which none of its root fields has anything to say. */
  rootFeatures: readonly Feature[];
  /** The variables as subgraphs get them, or BAD_USER_INPUT errors. */
  variables(given: Data): { values: Data; errors: readonly GraphQLError[] };
  /** Answers for `__schema` and `__type`, which no subgraph is asked. */
  introspect(variables: Data): Data;
  isIntrospection: boolean;
  /** Writes merged data in the shape asked for. */
  complete(
    data: Data,
    variables: Data,
    isExplained?: (path: Path) => boolean,
  ): { data: Data | null; errors: GraphQLError[] };
}

/** Parses, admits, validates and plans. Throws a GraphQLError, or an array of them, with codes clients know. */
export function prepareOperation(
  supergraph: Supergraph,
  query: string,
  operationName: string | null | undefined,
): Operation {
  const document = parseOrRefuse(query);
  checkDocument(document);
  const faults = validate(supergraph.schema, document, undefined, { maxErrors: 20, hideSuggestions: true });
  if (faults.length > 0)
    throw faults.map(
      (fault) => new GraphQLError(fault.message, { nodes: fault.nodes, extensions: { code: 'BAD_USER_INPUT' } }),
    );
  const definition = getOperationAST(document, operationName);
  if (!definition)
    throw badInput(
      operationName
        ? `There is no operation named ${operationName}.`
        : 'Say which operation to run: the document has several or none.',
    );
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

/** Variants kept per operation: one for each way its conditions have come out. */
const MAX_VARIANTS = 8;

function compile(supergraph: Supergraph, document: DocumentNode, definition: OperationDefinitionNode): Operation {
  const { schema } = supergraph;
  const fragments = fragmentsOf(document);
  const own: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments.values()] };
  const fields = topFields(definition.selectionSet, fragments);
  const conditions = conditionVariables(own);
  const variants = new Map<string, Variant>();
  const variantFor = (variables: Data): Variant => {
    const key = conditions.map((name) => (variables[name] === true ? '1' : '0')).join('');
    const known = variants.get(key);
    if (known) return known;
    if (variants.size >= MAX_VARIANTS) variants.clear();
    const variant = compileVariant(supergraph, decide(own, variables));
    variants.set(key, variant);
    return variant;
  };

  return {
    kind: definition.operation,
    name: definition.name?.value ?? '',
    document: own,
    plan: planOf(),
    planFor: (variables) => variantFor(variables).node,
    rootFeatures: supergraph.rootFeatures(
      definition.operation,
      fields.map(({ name }) => name.value),
    ),
    isIntrospection: fields.some(isIntrospective),
    variables(given) {
      const { coerced = {}, errors = [] } = getVariableValues(schema, definition.variableDefinitions ?? [], given, {
        maxErrors: 20,
      });
      const undecided = conditions
        .filter((name) => coerced[name] === null)
        .map((name) => new GraphQLError(`Variable "$${name}" decides what is asked for and cannot be null.`));
      return {
        values: coerced,
        errors: [...errors, ...undecided].map(
          (error) =>
            new GraphQLError(error.message, {
              nodes: error.nodes,
              extensions: { ...error.extensions, code: 'BAD_USER_INPUT' },
            }),
        ),
      };
    },
    introspect: (variables) => variantFor(variables).introspect(variables),
    complete: (data, variables) => variantFor(variables).complete(data),
  };

  /** The planner mistakes conditions in several ways, so they are decided before it is asked: a plan for each way. */
  function planOf(): Operation['plan'] {
    if (conditions.length === 0) return { node: variantFor({}).node };
    if (definition.operation === 'subscription') return { node: compileVariant(supergraph, own).node };
    return { node: { kind: 'Choice', choose: (variables) => variantFor(variables).node as PlanNode | undefined } };
  }
}
