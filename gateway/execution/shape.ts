import {
  type FieldNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLNullableType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { travelName } from './aliases.ts';
import { type Data, type Fault, faultsBelow, faultsOf, isObject, type Path } from './faults.ts';
import type { Fragments } from './fields.ts';

/** How one field of the answer is written: from which key of the merged data, under which key, of which type. */
interface FieldShape {
  key: string;
  source: string;
  /** What people call it: `Type.field`. */
  place: string;
  /** Null for `__schema` and `__type`, which are written as they are. */
  type: GraphQLOutputType | null;
  /** For a composite type: the fields of whatever object stands there, by its runtime type. */
  fieldsOf?: FieldsOf;
}

/** The fields of an object of a type; of an interface only while they are the same for whatever type stands there. */
export type FieldsOf = (type: GraphQLObjectType | GraphQLInterfaceType) => readonly FieldShape[] | undefined;

/**
 * Compiles the fields an object type shows for some selection sets, whose conditions are decided. Runtime types are compiled when first met and kept,
 * so an operation is walked once, however many answers it gives.
 */
export function compileShape(schema: GraphQLSchema, fragments: Fragments, sets: readonly SelectionSetNode[]): FieldsOf {
  const known = new Map<GraphQLNamedType, readonly FieldShape[] | undefined>();
  return (type) => {
    if (!known.has(type)) known.set(type, fieldsOf(type));
    return known.get(type);
  };

  function fieldsOf(type: GraphQLObjectType | GraphQLInterfaceType): readonly FieldShape[] | undefined {
    const grouped = new Map<string, FieldNode[]>();
    const seen = new Set<string>();
    const add = (set: SelectionSetNode): boolean =>
      set.selections.every((node) => {
        if (node.kind === Kind.FIELD) {
          const key = node.alias?.value ?? node.name.value;
          grouped.set(key, [...(grouped.get(key) ?? []), node]);
          return isObjectType(type) || node.name.value !== '__typename';
        }
        if (node.kind === Kind.FRAGMENT_SPREAD) {
          if (seen.has(node.name.value)) return true;
          seen.add(node.name.value);
        }
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        if (!fragment) return true;
        return applies(fragment.typeCondition?.name.value, type) ? add(fragment.selectionSet) : isObjectType(type);
      });
    if (!sets.every(add)) return undefined;
    return [...grouped].map(([key, nodes]) => shapeOf(type, key, nodes));
  }

  function shapeOf(
    type: GraphQLObjectType | GraphQLInterfaceType,
    key: string,
    nodes: readonly FieldNode[],
  ): FieldShape {
    const [first] = nodes as [FieldNode];
    const name = first.name.value;
    const children = nodes.flatMap((node) => node.selectionSet ?? []);
    return {
      key,
      source: name === '__typename' ? name : travelName(first),
      place: `${type.name}.${name}`,
      type: type.getFields()[name]?.type ?? null,
      ...(children.length > 0 ? { fieldsOf: compileShape(schema, fragments, children) } : {}),
    };
  }

  function applies(name: string | undefined, type: GraphQLObjectType | GraphQLInterfaceType): boolean {
    if (!name || name === type.name) return true;
    const condition = schema.getType(name);
    return isAbstractType(condition) && schema.isSubType(condition, type);
  }
}

/** What stands in for a value whose error went up to the next nullable parent. */
const NULLED = Symbol('nulled');

const BUILT_IN: Record<string, (value: unknown) => unknown> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  ID: (value) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined),
  Int: (value) => (Number.isInteger(value) ? value : undefined),
  Float: (value) => (typeof value === 'number' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** A fault with the place in the answer where its error arose. */
interface PlacedFault extends Pick<Fault, 'error' | 'at'> {
  origin: Path;
}
type Faults = readonly PlacedFault[] | undefined;

/**
 * Writes the answer in the shape and order the client asked for, with null propagation by the GraphQL specification
 * (section 6.4.4): an error nulls the nearest nullable parent, and stands once, with its path. Why a value is missing is
 * read off the data, where the subgraphs' errors are noted; a null the schema forbids and nobody explains is one of ours.
 */
export function complete(
  schema: GraphQLSchema,
  rootType: GraphQLObjectType,
  fieldsOf: FieldsOf,
  data: Data,
): { data: Data | null; errors: GraphQLError[] } {
  const errors: GraphQLError[] = [];
  const path: (string | number)[] = [];
  const told = new Set<GraphQLFormattedError>();
  /** Errors that other fields were worked out in spite of, to be told even if the client did not ask for their own. */
  const felt = new Set<GraphQLFormattedError>();

  const fail = (sentence: string): typeof NULLED => {
    errors.push(new GraphQLError(sentence, { path: [...path], extensions: { code: 'INTERNAL' } }));
    return NULLED;
  };

  /** Tells a fault at this place; or where it arose, if the null there comes up to here or goes up together with this one. */
  const tell = ({ error, at, origin }: PlacedFault, isNonNull: boolean): void => {
    told.add(error);
    const isBelow = path.every((step, i) => origin[i] === step);
    errors.push(
      new GraphQLError(error.message, {
        path: isBelow || (isNonNull && at) ? origin : [...path],
        extensions: error.extensions,
      }),
    );
  };

  /** The faults noted on an object, each with its place as far as the client asked for it, in the client's names. */
  const place = (fields: readonly FieldShape[], noted: readonly Fault[]): PlacedFault[] =>
    noted.map(({ error, at, path: steps }) => {
      const origin = [...path];
      let among = fields;
      for (const step of steps) {
        const next = among.find(({ source }) => source === step);
        if (!next && typeof step === 'string') break;
        origin.push(next?.key ?? step);
        if (next) among = fieldsBelow(next);
      }
      return { error, at, origin };
    });

  const fieldsBelow = ({ type, fieldsOf }: FieldShape): readonly FieldShape[] => {
    const named = type && getNamedType(type);
    const possible = isAbstractType(named) ? schema.getPossibleTypes(named) : isObjectType(named) ? [named] : [];
    return possible.flatMap((one) => fieldsOf?.(one) ?? []);
  };

  /** Forgets errors below a null but the one that brought it there. */
  const keepLast = (before: number): void => {
    errors.splice(before, errors.length - before - 1);
  };

  const writeObject = (
    type: GraphQLObjectType | GraphQLInterfaceType,
    fields: readonly FieldShape[],
    from: Data,
    above: Faults,
  ): Data | typeof NULLED => {
    const noted = faultsOf(from);
    const faults = noted ? [...(above ?? []), ...place(fields, noted)] : above;
    for (const { error, isFelt } of noted ?? []) if (isFelt) felt.add(error);
    const made: Data = {};
    for (const field of fields) {
      const value = writeField(type, field, from, faults);
      if (value === NULLED) return NULLED;
      if (field.key === '__proto__') Object.defineProperty(made, field.key, { value, enumerable: true });
      else made[field.key] = value;
    }
    return made;
  };

  const writeField = (
    type: GraphQLObjectType | GraphQLInterfaceType,
    field: FieldShape,
    from: Data,
    faults: Faults,
  ): unknown => {
    if (field.source === '__typename') return type.name;
    const value = Object.hasOwn(from, field.source) ? from[field.source] : undefined;
    if (!field.type) return value;
    path.push(field.key);
    const written = writeValue(field.type, field, value, faults && faultsBelow(faults, field.source));
    path.pop();
    return written;
  };

  const writeValue = (type: GraphQLOutputType, field: FieldShape, value: unknown, faults: Faults): unknown => {
    const nullable = isNonNullType(type) ? type.ofType : type;
    if (value !== null && value !== undefined) {
      const before = errors.length;
      const written = writePresent(nullable, field, value, faults);
      if (written === NULLED) keepLast(before);
      return written === NULLED && nullable === type ? null : written;
    }
    const fault = faults?.find(({ at }) => at || value === undefined);
    if (fault) tell(fault, nullable !== type);
    else if (nullable !== type) fail(`Cannot return null for the non-nullable field ${field.place}.`);
    return nullable === type ? null : NULLED;
  };

  const writePresent = (
    type: GraphQLNullableType & GraphQLOutputType,
    field: FieldShape,
    value: unknown,
    faults: Faults,
  ): unknown => {
    if (isListType(type)) {
      if (!Array.isArray(value)) return fail(`${field.place} is not a list.`);
      const made: unknown[] = [];
      for (let i = 0; i < value.length; i++) {
        path.push(i);
        const item = writeValue(type.ofType, field, value[i], faults && faultsBelow(faults, i));
        path.pop();
        if (item === NULLED) return NULLED;
        made.push(item);
      }
      return made;
    }
    if (isCompositeType(type)) {
      if (!isObject(value)) return fail(`${field.place} is not an object.`);
      const runtime = runtimeType(type, value);
      const fields = runtime && field.fieldsOf?.(runtime);
      if (fields) return writeObject(runtime, fields, value, faults);
      const noted = faultsOf(value)?.filter(({ at }) => at?.[0] === '__typename') ?? [];
      const [fault] = place(fieldsBelow(field), noted);
      if (!fault) return fail(`${field.place} is of no type this graph knows.`);
      tell(fault, true);
      return NULLED;
    }
    if (isEnumType(type))
      return type.getValue(String(value)) ? value : fail(`${field.place} is not a value of ${type.name}.`);
    const check = BUILT_IN[type.name];
    if (!check) return value;
    const checked = check(value);
    return checked === undefined ? fail(`${field.place} is not of type ${type.name}.`) : checked;
  };

  /** An `@interfaceObject` does not say which type it is unless that was asked for. */
  const runtimeType = (
    type: GraphQLCompositeType,
    { __typename: name }: Data,
  ): GraphQLObjectType | GraphQLInterfaceType | undefined => {
    if (isObjectType(type)) return type;
    if (isInterfaceType(type) && (name === undefined || name === type.name)) return type;
    const named = schema.getType(String(name));
    return isObjectType(named) && schema.isSubType(type, named) ? named : undefined;
  };

  const written = writeObject(rootType, fieldsOf(rootType) ?? [], data, undefined);
  if (written === NULLED) keepLast(0);
  for (const error of felt)
    if (!told.has(error)) errors.push(new GraphQLError(error.message, { extensions: error.extensions }));
  return { data: written === NULLED ? null : written, errors };
}
