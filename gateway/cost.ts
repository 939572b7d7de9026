import {
  BREAK,
  type DirectiveNode,
  type FieldNode,
  type FragmentSpreadNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  type InlineFragmentNode,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { badInput } from '../schema/errors.ts';
import type { CostDirectives, ListSize } from './cost-directives.ts';
import type { Fragments } from './execution/fields.ts';

type Variables = Record<string, unknown>;
/** A cost that is known, or one that depends on variables. */
type Cost = number | ((variables: Variables) => number);

/** An object that is read. */
const OBJECT_COST = 1;
/** A root field of a mutation: its transaction, its rules, its events. */
const MUTATION_COST = 10;
/** `__schema` or `__type`: the answer is as large as the schema, whatever else is asked. */
const INTROSPECTION_COST = 100;
/** What a list is taken to hold when nothing says how long it is. */
const ASSUMED_SIZE = 10;
/** Arguments that ask for a number of entries where a schema says nothing about its lists. */
const SLICING_ARGUMENTS = ['first', 'last', 'limit'];
/** What they slice when they stand at no list. */
const SIZED_FIELDS = ['edges', 'nodes'];

/** The lists among the fields of a set, sized by an argument of the field above it. */
interface Sized {
  fields: readonly string[];
  size: Cost;
}

/**
 * Prices a valid operation by the cost directives of IBM's specification, as other federated gateways read them: a field
 * costs its weight (an object 1, a scalar 0) times the entries of its list, and so does what is asked of each entry. Of
 * fragments on different object types only the dearest counts, for an object is of one type.
 * @returns the cost for coerced variables. It throws BAD_USER_INPUT where exactly one slicing argument must be given.
 */
export function compileCost(
  schema: GraphQLSchema,
  { weights, sizes }: CostDirectives,
  fragments: Fragments,
  definition: OperationDefinitionNode,
): (variables: Variables) => number {
  const known = new Map<SelectionSetNode, Cost>();
  const root = schema.getRootType(definition.operation) as GraphQLObjectType;
  const cost = ofSet(definition.selectionSet, root);
  return typeof cost === 'number' ? () => cost : cost;

  /** A set is priced once however often its fragment is spread, unless a page above it sizes its lists. */
  function ofSet(set: SelectionSetNode, type: GraphQLNamedType, sized?: Sized): Cost {
    const held = sized ? undefined : known.get(set);
    if (held !== undefined) return held;
    const all: Cost[] = [];
    const oneOf = new Map<string, Cost[]>();
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) all.push(onCondition(node, ofField(node, type, sized)));
      else {
        const [condition, inner] = opened(node, type);
        const cost = onCondition(node, ofSet(inner, condition, sized));
        if (isAbstractType(type) && isObjectType(condition))
          oneOf.set(condition.name, [...(oneOf.get(condition.name) ?? []), cost]);
        else all.push(cost);
      }
    }
    if (oneOf.size > 0) all.push(largest([...oneOf.values()].map(sum)));
    const cost = sum(all);
    if (!sized) known.set(set, cost);
    return cost;
  }

  function opened(
    node: FragmentSpreadNode | InlineFragmentNode,
    type: GraphQLNamedType,
  ): [GraphQLNamedType, SelectionSetNode] {
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
    const named = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
    return [named ?? type, fragment?.selectionSet ?? { kind: Kind.SELECTION_SET, selections: [] }];
  }

  function ofField(node: FieldNode, type: GraphQLNamedType, sized: Sized | undefined): Cost {
    const name = node.name.value;
    if (name === '__typename') return 0;
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    if (!field) return INTROSPECTION_COST;
    const returned = getNamedType(field.type);
    const isList = isListType(getNullableType(field.type));
    const rule = sizes.get(`${type.name}.${name}`) ?? defaultRule(field, isList, returned);
    const page = rule && sizeOf(node, field, rule);
    const below = page && !isList ? { fields: rule?.sizedFields ?? [], size: page } : undefined;
    const times = !isList ? 1 : sized?.fields.includes(name) ? sized.size : (page ?? ASSUMED_SIZE);
    const inner = node.selectionSet ? ofSet(node.selectionSet, returned, below) : 0;
    return sum([
      product(times, sum([weightOf(type as GraphQLObjectType, field), inner])),
      ofArguments(node, type, field),
    ]);
  }

  function weightOf(type: GraphQLObjectType | GraphQLInterfaceType, field: GraphQLField<unknown, unknown>): number {
    const owners = isInterfaceType(type) ? [type, ...schema.getPossibleTypes(type)] : [type];
    const own = owners
      .map((owner) => weights.get(`${owner.name}.${field.name}`))
      .filter((weight) => weight !== undefined);
    if (own.length > 0) return Math.max(...own);
    if (type === schema.getMutationType()) return MUTATION_COST;
    return weightOfType(getNamedType(field.type));
  }

  function weightOfType(type: GraphQLNamedType): number {
    return weights.get(type.name) ?? (isCompositeType(type) ? OBJECT_COST : 0);
  }

  /** Input objects cost as objects do, so that a long list of them is not free. */
  function ofArguments(node: FieldNode, type: GraphQLNamedType, field: GraphQLField<unknown, unknown>): Cost {
    return sum(
      (node.arguments ?? []).map(({ name, value }) => {
        const argument = field.args.find((known) => known.name === name.value) as GraphQLArgument;
        const weight = weights.get(`${type.name}.${field.name}(${name.value}:)`) ?? 0;
        const named = getNamedType(argument.type);
        if (!isInputObjectType(named) && !weights.has(named.name)) return weight;
        return whenKnown(value, (variables) => weight + ofInput(argument.type, valueFromASTUntyped(value, variables)));
      }),
    );
  }

  function ofInput(type: GraphQLInputType, value: unknown): number {
    if (value === null || value === undefined) return 0;
    if (isNonNullType(type)) return ofInput(type.ofType, value);
    if (isListType(type)) return [value].flat().reduce((total: number, item) => total + ofInput(type.ofType, item), 0);
    if (!isInputObjectType(type)) return weights.get(type.name) ?? 0;
    return Object.entries(value).reduce((total, [name, item]) => {
      const field = type.getFields()[name];
      return field ? total + (weights.get(`${type.name}.${name}`) ?? 0) + ofInput(field.type, item) : total;
    }, weights.get(type.name) ?? OBJECT_COST);
  }
}

/** How a list is taken to be sized where the schema says nothing. */
function defaultRule(
  field: GraphQLField<unknown, unknown>,
  isList: boolean,
  returned: GraphQLNamedType,
): ListSize | undefined {
  const slicingArguments = field.args.map(({ name }) => name).filter((name) => SLICING_ARGUMENTS.includes(name));
  const isSized = isObjectType(returned) && SIZED_FIELDS.some((name) => returned.getFields()[name]);
  if (slicingArguments.length === 0 || (!isList && !isSized)) return undefined;
  return { slicingArguments, sizedFields: SIZED_FIELDS, requireOneSlicingArgument: false };
}

/** The entries a field's list is asked to hold: the most that a slicing argument says, or what is assumed. */
function sizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>, rule: ListSize): Cost {
  const { slicingArguments = [], assumedSize = ASSUMED_SIZE, requireOneSlicingArgument = true } = rule;
  if (slicingArguments.length === 0) return assumedSize;
  const slices = slicingArguments.map((name) => ({
    byDefault: field.args.find((argument) => argument.name === name)?.defaultValue,
    value: node.arguments?.find((given) => given.name.value === name)?.value,
  }));
  const size = (variables: Variables): number => {
    const asked = slices
      .map(({ value, byDefault }) => (value && valueFromASTUntyped(value, variables)) ?? byDefault)
      .filter((value) => typeof value === 'number');
    if (requireOneSlicingArgument && asked.length !== 1)
      throw badInput(`${field.name} takes exactly one of ${slicingArguments.join(', ')}.`);
    return asked.length > 0 ? Math.max(1, ...asked) : assumedSize;
  };
  return slices.some(({ value }) => value && hasVariable(value)) ? size : size({});
}

/** What a selection costs when `@skip` and `@include` leave it in. */
function onCondition({ directives = [] }: { directives?: readonly DirectiveNode[] }, cost: Cost): Cost {
  return directives.reduce<Cost>((total, { name, arguments: given }) => {
    const condition = given?.[0]?.value;
    if (!condition || (name.value !== 'skip' && name.value !== 'include')) return total;
    const isIn = (variables: Variables) => valueFromASTUntyped(condition, variables) === (name.value === 'include');
    return whenKnown(condition, (variables) => (isIn(variables) ? costAt(total, variables) : 0), total);
  }, cost);
}

const hasVariable = (value: ValueNode): boolean => {
  let found = false;
  visit(value, {
    Variable: () => {
      found = true;
      return BREAK;
    },
  });
  return found;
};

/** A cost worked out at once unless a value it rests on, or another cost, waits for variables. */
const whenKnown = (value: ValueNode, cost: (variables: Variables) => number, rest: Cost = 0): Cost =>
  hasVariable(value) || typeof rest === 'function' ? cost : cost({});

const costAt = (cost: Cost, variables: Variables): number => (typeof cost === 'number' ? cost : cost(variables));

function sum(costs: readonly Cost[]): Cost {
  const known = costs.reduce<number>((total, cost) => (typeof cost === 'number' ? total + cost : total), 0);
  const open = costs.filter((cost) => typeof cost === 'function');
  if (open.length === 0) return known;
  return (variables) => open.reduce((total, cost) => total + cost(variables), known);
}

function product(a: Cost, b: Cost): Cost {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return (variables) => costAt(a, variables) * costAt(b, variables);
}

function largest(costs: readonly Cost[]): Cost {
  if (costs.every((cost) => typeof cost === 'number')) return Math.max(...costs);
  return (variables) => Math.max(...costs.map((cost) => costAt(cost, variables)));
}
