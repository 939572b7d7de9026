import {
  type FieldNode,
  type FragmentDefinitionNode,
  getNullableType,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';
import { renamedAlias } from './aliases.ts';

type Data = Record<string, unknown>;
type Path = readonly (string | number)[];

/** How one field of the answer is written: from which key of the merged data, under which key, of which type. */
interface FieldShape {
  key: string;
  source: string;
  type: GraphQLOutputType;
  /** For a composite type: the fields of whatever object stands there, by its runtime type. */
  fieldsOf?: (type: GraphQLObjectType) => readonly FieldShape[];
}

/** Whether a selection stands, given the operation's variables. */
export type Includes = (node: { directives?: readonly unknown[] }) => boolean;

/**
 * Compiles the fields an object type shows for some selection sets. Runtime types are compiled when first met and kept,
 * so an operation is walked once, however many answers it gives.
 */
export function compileShape(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>, includes: Includes) {
  const compile = (sets: readonly SelectionSetNode[]): ((type: GraphQLObjectType) => readonly FieldShape[]) => {
    const known = new Map<GraphQLObjectType, readonly FieldShape[]>();
    return (type) => {
      let fields = known.get(type);
      if (!fields) known.set(type, (fields = fieldsOf(type, sets)));
      return fields;
    };
  };

  const fieldsOf = (type: GraphQLObjectType, sets: readonly SelectionSetNode[]): FieldShape[] => {
    const grouped = new Map<string, FieldNode[]>();
    for (const set of sets) collect(type, set, grouped, new Set());
    return [...grouped].map(([key, nodes]) => {
      const [first] = nodes as [FieldNode];
      const name = first.name.value;
      if (name === '__typename') return { key, source: '__typename', type: TYPENAME };
      const field = type.getFields()[name];
      const children = nodes.flatMap((node) => node.selectionSet ?? []);
      const source = first.alias ? renamedAlias(first.alias.value, name) : name;
      return { key, source, type: field?.type ?? TYPENAME, ...(children.length > 0 ? { fieldsOf: compile(children) } : {}) };
    });
  };

  const collect = (type: GraphQLObjectType, set: SelectionSetNode, into: Map<string, FieldNode[]>, seen: Set<string>): void => {
    for (const node of set.selections) {
      if (!includes(node)) continue;
      if (node.kind === 'Field') {
        const key = node.alias?.value ?? node.name.value;
        const held = into.get(key);
        if (held) held.push(node);
        else into.set(key, [node]);
        continue;
      }
      const fragment = node.kind === 'FragmentSpread' ? fragments.get(node.name.value) : node;
      if (!fragment) continue;
      if (node.kind === 'FragmentSpread') {
        if (seen.has(node.name.value)) continue;
        seen.add(node.name.value);
      }
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      if (!condition || condition === type || (isAbstractType(condition) && schema.isSubType(condition, type))) collect(type, fragment.selectionSet, into, seen);
    }
  };
  return compile;
}

const TYPENAME = null as unknown as GraphQLOutputType;
/** What stands in for a value whose error went up to the next nullable parent. */
const NULLED = Symbol('nulled');

const BUILT_IN: Record<string, (value: unknown) => unknown> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  ID: (value) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined),
  Int: (value) => (Number.isInteger(value) ? value : undefined),
  Float: (value) => (typeof value === 'number' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
};

/**
 * Writes the answer in the shape and order the client asked for, with null propagation by the GraphQL specification
 * (section 6.4.4): a null where the schema forbids one is an error with its path and nulls the nearest nullable parent.
 */
export function complete(
  schema: GraphQLSchema,
  rootType: GraphQLObjectType,
  fieldsOf: (type: GraphQLObjectType) => readonly FieldShape[],
  data: Data,
  /** Whether a subgraph has already said why there is nothing at this path. */
  isExplained: (path: Path) => boolean,
): { data: Data | null; errors: GraphQLError[] } {
  const errors: GraphQLError[] = [];
  const path: (string | number)[] = [];
  const fail = (sentence: string) => {
    errors.push(new GraphQLError(sentence, { path: [...path], extensions: { code: 'INTERNAL' } }));
    return null;
  };

  const writeObject = (type: GraphQLObjectType, fields: readonly FieldShape[], from: Data): Data | typeof NULLED => {
    const made: Data = {};
    for (const field of fields) {
      if (field.type === TYPENAME) {
        made[field.key] = type.name;
        continue;
      }
      path.push(field.key);
      const value = writeValue(field.type, field, Object.hasOwn(from, field.source) ? from[field.source] : undefined, `${type.name}.${field.source}`);
      path.pop();
      if (value === NULLED) return NULLED;
      made[field.key] = value;
    }
    return made;
  };

  const writeValue = (type: GraphQLOutputType, field: FieldShape, value: unknown, place: string): unknown => {
    if (isNonNullType(type)) {
      const written = writeNullable(getNullableType(type) as GraphQLOutputType, field, value, place);
      if (written !== null && written !== NULLED) return written;
      if (written === null && value == null && !isExplained(path)) fail(`Cannot return null for the non-nullable field ${place}.`);
      return NULLED;
    }
    const written = writeNullable(type, field, value, place);
    return written === NULLED ? null : written;
  };

  const writeNullable = (type: GraphQLOutputType, field: FieldShape, value: unknown, place: string): unknown => {
    if (value === null || value === undefined) return null;
    if (isListType(type)) {
      if (!Array.isArray(value)) return fail(`${place} is not a list.`);
      const made: unknown[] = [];
      for (let i = 0; i < value.length; i++) {
        path.push(i);
        const item = writeValue(type.ofType, field, value[i], place);
        path.pop();
        if (item === NULLED) return NULLED;
        made.push(item);
      }
      return made;
    }
    if (isCompositeType(type)) {
      if (typeof value !== 'object') return fail(`${place} is not an object.`);
      const runtime = runtimeType(type, value as Data);
      if (!runtime || !field.fieldsOf) return fail(`${place} is of no type this graph knows.`);
      return writeObject(runtime, field.fieldsOf(runtime), value as Data);
    }
    if (isEnumType(type)) return type.getValue(String(value)) ? value : fail(`${place} is not a value of ${type.name}.`);
    const check = BUILT_IN[(type as { name: string }).name];
    if (!check) return value;
    const checked = check(value);
    return checked === undefined ? fail(`${place} is not of type ${(type as { name: string }).name}.`) : checked;
  };

  const runtimeType = (type: GraphQLCompositeType, value: Data): GraphQLObjectType | undefined => {
    if (isObjectType(type)) return type;
    const named = schema.getType(String(value.__typename));
    return isObjectType(named) && schema.isSubType(type, named) ? named : undefined;
  };

  const written = writeObject(rootType, fieldsOf(rootType), data);
  return { data: written === NULLED ? null : written, errors };
}
