import * as fc from 'fast-check';
import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationTypeNode,
  parse,
  print,
  validate,
} from 'graphql';
import type { Data, Request } from './federation.ts';

/** A query as a tree of small numbers, read against whatever schema there is. */
export interface QueryRecipe {
  pick: number;
  alias: number;
  args: number;
  condition: number;
  children: QueryRecipe[];
}

const number = fc.nat({ max: 999 });

const nodeRecipe = fc.memo(
  (depth): fc.Arbitrary<QueryRecipe> =>
    fc.record({
      pick: number,
      alias: number,
      args: number,
      condition: number,
      children: depth > 1 ? fc.array(nodeRecipe(), { maxLength: 4 }) : fc.constant([]),
    }),
);

export interface RequestRecipe {
  kind: number;
  roots: QueryRecipe[];
}

export const requestRecipe: fc.Arbitrary<RequestRecipe> = fc.record({
  kind: fc.nat({ max: 9 }),
  roots: fc.array(nodeRecipe(5), { minLength: 1, maxLength: 4 }),
});

const ALIASES = [
  'id',
  'code',
  'label',
  'f0',
  'f1',
  'f2',
  'ref',
  'v0',
  'q0',
  'constructor',
  '__proto__',
  'toString',
  'f0__alias_0',
  '__alias_id',
  '__typename',
  'x',
];
/** The gateway takes no more in one operation. */
const MAX_ALIASES = 28;
const MAX_DEPTH = 9;

/** The request a recipe stands for; always valid against the schema. */
export function requestOf(schema: GraphQLSchema, { kind, roots }: RequestRecipe): Request {
  const operation =
    kind === 0 && schema.getMutationType()
      ? 'mutation'
      : kind === 1 && schema.getSubscriptionType()
        ? 'subscription'
        : 'query';
  const writer = new Writer(schema);
  const type = schema.getRootType(operation as OperationTypeNode) as GraphQLObjectType;
  const body =
    operation === 'subscription'
      ? `{ ${writer.field(type, roots[0] as QueryRecipe, 1)} }`
      : writer.selections(type, roots, 1);
  const variables = writer.definitions.length > 0 ? `(${writer.definitions.join(', ')})` : '';
  const query = `${operation} ${variables}${body}\n${writer.fragments.map(({ text }) => text).join('\n')}`;
  return { query: withoutConflicts(schema, query), variables: writer.values };
}

class Writer {
  readonly definitions: string[] = [];
  readonly values: Data = {};
  readonly fragments: { name: string; on: GraphQLCompositeType; text: string }[] = [];
  private aliases = 0;

  constructor(private readonly schema: GraphQLSchema) {}

  selections(type: GraphQLCompositeType, recipes: readonly QueryRecipe[], depth: number): string {
    const written = recipes.map((recipe) => this.selection(type, recipe, depth));
    return written.length > 0 ? `{ ${written.join(' ')} }` : `{ ${this.least(type)} }`;
  }

  /** What is asked of an object of which nothing is asked: a leaf without arguments, or its type. */
  private least(type: GraphQLCompositeType): string {
    if (isUnionType(type)) return '__typename';
    return (
      Object.values(type.getFields()).find(
        (field) => field.args.length === 0 && !isCompositeType(getNamedType(field.type)),
      )?.name ?? '__typename'
    );
  }

  field(type: GraphQLObjectType | GraphQLInterfaceType, recipe: QueryRecipe, depth: number, condition = ''): string {
    const every = Object.values(type.getFields());
    const fields = [...every, ...every.filter((field) => isCompositeType(getNamedType(field.type)))];
    const field = fields[(recipe.pick >> 1) % fields.length] as (typeof fields)[number];
    const inner = getNamedType(field.type);
    if (isCompositeType(inner) && depth >= MAX_DEPTH) return '__typename';
    const below = isCompositeType(inner) ? this.selections(inner, recipe.children, depth + 1) : '';
    return `${this.alias(recipe.alias)}${field.name}${this.args(field.args, recipe.args)} ${condition} ${below}`;
  }

  private selection(type: GraphQLCompositeType, recipe: QueryRecipe, depth: number): string {
    const condition = this.condition(recipe.condition);
    const choice = recipe.pick % (isUnionType(type) ? 5 : 20);
    if (choice > 4 && !isUnionType(type)) return this.field(type, recipe, depth, condition);
    if (choice === 3 && depth === 1 && type === this.schema.getQueryType())
      return `${this.alias(recipe.alias)}${this.introspection(recipe.args, condition)}`;
    if (choice >= 3) return `${this.alias(recipe.alias)}__typename ${condition}`;
    const on = choice === 0 ? type : this.overlapping(type, recipe.args);
    if (choice === 2) return `...${this.fragment(on, recipe, depth)} ${condition}`;
    return `... ${choice === 1 ? `on ${on.name}` : ''} ${condition} ${this.selections(on, recipe.children, depth)}`;
  }

  private alias(number: number): string {
    const alias = ALIASES[(number >> 1) % ALIASES.length];
    return number % 3 === 1 && this.aliases++ < MAX_ALIASES ? `${alias}: ` : '';
  }

  private introspection(number: number, condition: string): string {
    if (number % 2 === 0) return `__schema ${condition} { queryType { kind: name } }`;
    return `__type(name: ${number % 4 === 1 ? '"E0"' : this.variable('String!', 'Query')}) ${condition} { name __typename fields { name } }`;
  }

  /** A type that shares objects with this one. */
  private overlapping(type: GraphQLCompositeType, number: number): GraphQLCompositeType {
    const possible = isAbstractType(type) ? this.schema.getPossibleTypes(type) : [type];
    const among = Object.values(this.schema.getTypeMap()).filter(
      (other): other is GraphQLCompositeType =>
        (isObjectType(other) && possible.includes(other)) ||
        (isAbstractType(other) && this.schema.getPossibleTypes(other).some((one) => possible.includes(one))),
    );
    return among[number % among.length] as GraphQLCompositeType;
  }

  private fragment(on: GraphQLCompositeType, recipe: QueryRecipe, depth: number): string {
    const known = this.fragments.filter((fragment) => fragment.on === on);
    if (known.length > 0 && recipe.alias % 2 === 0)
      return (known[recipe.alias % known.length] as { name: string }).name;
    const body = this.selections(on, recipe.children, depth + 1);
    const name = `F${this.fragments.length}`;
    this.fragments.push({ name, on, text: `fragment ${name} on ${on.name} ${body}` });
    return name;
  }

  private condition(number: number): string {
    switch (number % 24) {
      case 1:
        return '@include(if: true)';
      case 2:
        return '@skip(if: true)';
      case 3:
        return `@include(if: ${this.variable('Boolean!', number % 5 > 1)})`;
      case 4:
        return `@skip(if: ${this.variable('Boolean!', number % 5 < 1)})`;
      case 5:
        return `@skip(if: ${this.variable('Boolean!', number % 5 < 2)}) @include(if: ${this.variable('Boolean!', number % 7 > 1)})`;
      case 6:
        return `@include(if: ${this.variable('Boolean = true', number % 5 > 2 ? undefined : number % 2 === 0)})`;
      default:
        return '';
    }
  }

  /** Declares a variable; `undefined` leaves it absent. */
  private variable(type: string, value: unknown): string {
    const name = `v${this.definitions.length}`;
    this.definitions.push(`$${name}: ${type}`);
    if (value !== undefined) this.values[name] = value;
    return `$${name}`;
  }

  private args(args: readonly GraphQLArgument[], number: number): string {
    let rest = number;
    const given = args.flatMap((arg) => {
      const mode = rest % 5;
      rest = (rest * 7 + 3) % 1_009;
      if (mode < 2) return [];
      if (mode === 2) return [`${arg.name}: ${this.variableArgument(arg, rest)}`];
      return [`${arg.name}: ${this.literal(arg.type, rest, 0)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  private variableArgument(arg: GraphQLArgument, number: number): string {
    const type = String(isNonNullType(arg.type) && number % 2 === 0 ? arg.type.ofType : arg.type);
    const value = this.plain(arg.type, number);
    if (number % 4 === 3 && !isNonNullType(arg.type)) return this.variable(type, undefined);
    if (number % 4 === 2 && !type.endsWith('!'))
      return this.variable(
        `${type} = ${this.literal(getNullableType(arg.type), number >> 1, 9)}`,
        number % 3 === 0 ? value : undefined,
      );
    return this.variable(type, value);
  }

  private literal(type: GraphQLInputType, number: number, depth: number): string {
    if (isNonNullType(type)) return this.literal(type.ofType, number - (number % 11 === 10 ? 1 : 0), depth);
    if (number % 11 === 10) return 'null';
    if (isListType(type))
      return number % 3 === 0
        ? this.literal(getNullableType(type.ofType), number % 11 === 10 ? 0 : number % 10, depth)
        : `[${Array.from({ length: number % 3 }, (_, i) => this.literal(type.ofType, number + i * 12, depth)).join(', ')}]`;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((_, i) => number & (1 << i) && (depth < 2 || i !== 2));
      return `{${fields.map((field) => `${field.name}: ${number % 7 === 3 && depth < 9 ? this.variable(String(field.type), this.plain(field.type, number)) : this.literal(field.type, number >> 1, depth + 1)}`).join(', ')}}`;
    }
    if (isEnumType(type)) return ['RED', 'GREEN', 'BLUE'][number % 3] as string;
    if (type.name === 'JSON') return ['{a: [1, {b: "x"}]}', '[RED, 1.5]', '"text"', '7', 'true'][number % 5] as string;
    if (type.name === 'String')
      return ['"x"', '"a \\"q\\" \\u00e9"', '"""block\n  text"""', '""'][number % 4] as string;
    return String(number % 40);
  }

  private plain(type: GraphQLInputType, number: number): unknown {
    if (isNonNullType(type)) return this.plain(type.ofType, number % 11 === 10 ? 0 : number);
    if (number % 11 === 10) return null;
    if (isListType(type)) return [1, 2].map((i) => this.plain(type.ofType, (number % 10) + i));
    if (isInputObjectType(type)) return number % 2 === 0 ? { n: number } : { color: 'BLUE', deep: { list: [number] } };
    if (isEnumType(type)) return 'GREEN';
    if (type.name === 'JSON') return { deep: [number, { id: null }] };
    return type.name === 'String' ? `given ${number}` : number;
  }
}

/** Gives fields of their own a name where two of one name would not merge. */
function withoutConflicts(schema: GraphQLSchema, query: string): string {
  const document = parse(query, { noLocation: true });
  for (let i = 0; i < 200; i++) {
    const [error] = validate(schema, document, undefined, { maxErrors: 1 });
    if (!error) return print(document);
    rename(error, i);
  }
  throw new Error(`This stays invalid: ${print(document)}`);
}

function rename(error: GraphQLError, i: number): void {
  const fields = (error.nodes ?? []).filter((node): node is FieldNode => node.kind === Kind.FIELD);
  const last = fields.at(-1);
  if (!last || !/conflict/.test(error.message)) throw error;
  (last as { alias?: unknown }).alias = { kind: Kind.NAME, value: `u${i}` };
}
