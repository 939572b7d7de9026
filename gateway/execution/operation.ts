import type { PlanNode, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { badInput, ClientError } from '../../schema/errors.ts';
import type { Feature } from '../../schema/features.ts';
import { compileCost } from '../cost.ts';
import { checkDocument, LIMITS, type Limits } from '../limits.ts';
import type { Supergraph } from '../supergraph.ts';
import { conditionVariables, decide } from './conditions.ts';
import type { Data } from './faults.ts';
import { fragmentsOf, isIntrospective, topFields } from './fields.ts';
import type { ChoiceNode } from './plan.ts';
import { compileVariant, type Variant } from './variant.ts';

/** An operation made ready once: parsed, admitted, validated and priced; planned and its answer's shape compiled when first run. */
export interface Operation {
  kind: 'query' | 'mutation' | 'subscription';
  name: string;
  document: DocumentNode;
  /** The schema by which subgraphs know each other's types, as it was when the operation was made ready. */
  schema: GraphQLSchema;
  /** What it costs by the schema's directives, with coerced variables. */
  cost(variables: Data): number;
  /** Without a node when there is nothing to ask subgraphs. Made when first asked for: planning is the dear part. */
  readonly plan: { node?: PlanNode | SubscriptionNode | ChoiceNode };
  /** Whether it was planned for what these variables decide. */
  isPlanned(variables: Data): boolean;
  /** Plans every way its conditions can come out, as many as are kept. */
  warm(): void;
  /** The plan for these variables, if there is anything to ask subgraphs. */
  planFor(variables: Data): PlanNode | SubscriptionNode | undefined;
  /** Names of its root fields. */
  rootFields: readonly string[];
  /** Features without which none of its root fields has anything to say. */
  rootFeatures: readonly Feature[];
  /** Root fields whose work waits in queues of their own, in the subgraphs asked for them. */
  queuedFields: readonly string[];
  /** Whether all its work does. */
  isQueued: boolean;
  /** The variables as subgraphs get them, or BAD_USER_INPUT errors. */
  variables(given: Data): { values: Data; errors: readonly GraphQLError[] };
  isIntrospection: boolean;
  /** Answers for `__schema` and `__type`, which no subgraph is asked. */
  introspect(variables: Data): Data;
  /** Writes merged data as JSON text in the shape asked for; undefined if something in it is not as it must be. */
  write(data: Data, variables: Data): string | undefined;
  /** Makes merged data into the shape asked for, and finds what is wrong with it. */
  complete(data: Data, variables: Data): { data: Data | null; errors: GraphQLError[] };
}

/**
 * Parses, admits and validates. What an operation costs is known before it is planned. Throws a GraphQLError, or an array
 * of them, with codes clients know.
 */
export function prepareOperation(
  supergraph: Supergraph,
  query: string,
  operationName: string | null | undefined,
  limits: Limits = LIMITS,
): Operation {
  const document = parseOrRefuse(query, limits);
  checkDocument(document, limits);
  const faults = validate(supergraph.schema, document, undefined, { maxErrors: 20, hideSuggestions: true });
  if (faults.length > 0) throw faults.map(({ message }) => complaint(message));
  const definition = getOperationAST(document, operationName);
  if (!definition)
    throw badInput(
      operationName
        ? `There is no operation named ${operationName}.`
        : 'Say which operation to run: the document has several or none.',
    );
  return compile(supergraph, document, definition);
}

/** What some rules say of the schema even when suggestions are to be hidden. */
const SUGGESTION = / Did you mean .*$/s;

/** What the library found wrong, without what stands in the schema instead. */
const complaint = (message: string) => badInput(message.replace(SUGGESTION, ''));

/** What the parser says when it stops reading. */
export const TOO_MANY_TOKENS = /more tha[nt] \d+ tokens/;

function parseOrRefuse(query: string, { tokens }: Limits): DocumentNode {
  try {
    return parse(query, { maxTokens: tokens, noLocation: true }); // to find lines takes longer than to read them
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (TOO_MANY_TOKENS.test(error.message))
      throw new ClientError('OPERATION_LIMIT', `A document has at most ${tokens} tokens.`);
    throw complaint(error.message);
  }
}

/** Variants kept per operation: one for each way its conditions have come out. */
const MAX_VARIANTS = 8;

const NO_VARIABLES = { values: {}, errors: [] };

function compile(supergraph: Supergraph, document: DocumentNode, definition: OperationDefinitionNode): Operation {
  const { schema } = supergraph;
  const fragments = fragmentsOf(document);
  const own: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments.values()] };
  const fields = topFields(definition.selectionSet, fragments);
  const rootFields = fields.map(({ name }) => name.value);
  const queuedFields = supergraph.queuedFields(definition.operation, rootFields);
  const conditions = conditionVariables(own);
  const variants = new Map<string, Variant>();
  let only: Variant | undefined;
  let plan: Operation['plan'] | undefined;
  const keyOf = (variables: Data) => conditions.map((name) => (variables[name] === true ? '1' : '0')).join('');
  const variantFor = (variables: Data): Variant => {
    if (conditions.length === 0) {
      only ??= compileVariant(supergraph, decide(own, {}));
      return only;
    }
    const key = keyOf(variables);
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
    schema: supergraph.whole,
    cost: compileCost(schema, supergraph.costs, fragments, definition),
    get plan() {
      plan ??= planOf();
      return plan;
    },
    isPlanned: (variables) => only !== undefined || variants.has(keyOf(variables)),
    warm() {
      plan ??= planOf();
      for (let way = 0; way < Math.min(2 ** conditions.length, MAX_VARIANTS); way++)
        variantFor(Object.fromEntries(conditions.map((name, i) => [name, Boolean(way & (1 << i))])));
    },
    planFor: (variables) => variantFor(variables).node,
    rootFields,
    rootFeatures: supergraph.rootFeatures(definition.operation, rootFields),
    queuedFields,
    isQueued:
      queuedFields.length > 0 && rootFields.every((name) => name === '__typename' || queuedFields.includes(name)),
    isIntrospection: fields.some(isIntrospective),
    variables(given) {
      if (!definition.variableDefinitions?.length) return NO_VARIABLES;
      const { coerced = {}, errors = [] } = getVariableValues(schema, definition.variableDefinitions ?? [], given, {
        maxErrors: 20,
      });
      const undecided = conditions
        .filter((name) => coerced[name] === null)
        .map((name) => `Variable "$${name}" decides what is asked for and cannot be null.`);
      return { values: coerced, errors: [...errors.map(({ message }) => message), ...undecided].map(complaint) };
    },
    introspect: (variables) => variantFor(variables).introspect?.(variables) ?? {},
    write: (data, variables) => variantFor(variables).write(data),
    complete: (data, variables) => variantFor(variables).complete(data),
  };

  /** The planner mistakes conditions in several ways, so they are decided before it is asked: a plan for each way. */
  function planOf(): Operation['plan'] {
    if (conditions.length === 0) return { node: variantFor({}).node };
    if (definition.operation === 'subscription') return { node: compileVariant(supergraph, own).node };
    return { node: { kind: 'Choice', choose: (variables) => variantFor(variables).node as PlanNode | undefined } };
  }
}
