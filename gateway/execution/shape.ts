import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLInterfaceType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
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
import type { Fragments } from './fields.ts';

/** The fields an object shows. */
export interface ObjectShape {
  typeName: string;
  fields: readonly FieldShape[];
}

/** How one field of the answer is written: from which key of the merged data, under which key, in which type. */
export interface FieldShape {
  key: string;
  source: string;
  /** Whether every object has something of this name that is no field of it. */
  isInherited: boolean;
  /** What people call it: `Type.field`. */
  place: string;
  /** Null for `__schema` and `__type`, which are written as they are. */
  type: TypeShape | null;
}

/** How a value is written: as a list, an object or a leaf. */
export interface TypeShape {
  isNonNull: boolean;
  item?: TypeShape;
  object?: ObjectShapes;
  /** The leaf to write for a value; undefined if it is none of this type. */
  leaf?: (value: unknown) => unknown;
  leafName?: string;
}

interface ObjectShapes {
  /** The shape of an object that says it is of this type. */
  of(typeName: unknown): ObjectShape | undefined;
  all(): readonly ObjectShape[];
}

const BUILT_IN: Record<string, (value: unknown) => unknown> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  ID: (value) => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined),
  Int: (value) => (Number.isInteger(value) ? value : undefined),
  Float: (value) => (typeof value === 'number' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
};

/**
 * Compiles how the answer to an operation is written, whose conditions are decided. What stands at abstract types is
 * compiled when first met and kept, so an operation is walked once, however many answers it gives.
 */
export function compileShape(
  schema: GraphQLSchema,
  fragments: Fragments,
  rootType: GraphQLObjectType,
  set: SelectionSetNode,
): ObjectShape {
  return compileObject(rootType, [set]) as ObjectShape;

  function compileType(type: GraphQLOutputType, sets: readonly SelectionSetNode[]): TypeShape {
    if (isNonNullType(type)) return { ...compileType(type.ofType, sets), isNonNull: true };
    if (isListType(type)) return { isNonNull: false, item: compileType(type.ofType, sets) };
    return isCompositeType(type)
      ? { isNonNull: false, object: compileObjects(type, sets) }
      : { isNonNull: false, leaf: leafOf(type), leafName: type.name };
  }

  function compileObjects(type: GraphQLCompositeType, sets: readonly SelectionSetNode[]): ObjectShapes {
    const known = new Map<string, ObjectShape>();
    const of = (typeName: unknown): ObjectShape | undefined => {
      const name = isObjectType(type) ? type.name : String(typeName ?? type.name);
      let shape = known.get(name);
      if (!shape) {
        const runtime = runtimeType(type, name);
        shape = runtime && compileObject(runtime, sets);
        if (shape) known.set(name, shape);
      }
      return shape;
    };
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    return { of, all: () => possible.flatMap(({ name }) => of(name) ?? []) };
  }

  /** An `@interfaceObject` does not say which type it is unless that was asked for. */
  function runtimeType(type: GraphQLCompositeType, name: string): GraphQLObjectType | GraphQLInterfaceType | undefined {
    if (name === type.name) return isObjectType(type) || isInterfaceType(type) ? type : undefined;
    const named = schema.getType(name);
    return isAbstractType(type) && isObjectType(named) && schema.isSubType(type, named) ? named : undefined;
  }

  /** The fields of an object of a type; of an interface only if they are the same for whatever type stands there. */
  function compileObject(
    type: GraphQLObjectType | GraphQLInterfaceType,
    sets: readonly SelectionSetNode[],
  ): ObjectShape | undefined {
    const grouped = new Map<string, FieldNode[]>();
    const seen = new Set<string>();
    const add = ({ selections }: SelectionSetNode): boolean =>
      selections.every((node) => {
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
    return { typeName: type.name, fields: [...grouped].map(([key, nodes]) => compileField(type, key, nodes)) };
  }

  function compileField(
    type: GraphQLObjectType | GraphQLInterfaceType,
    key: string,
    nodes: readonly FieldNode[],
  ): FieldShape {
    const [first] = nodes as [FieldNode];
    const name = first.name.value;
    const field = type.getFields()[name];
    const source = name === '__typename' ? name : travelName(first);
    return {
      key,
      source,
      isInherited: source in Object.prototype,
      place: `${type.name}.${name}`,
      type: field
        ? compileType(
            field.type,
            nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
          )
        : null,
    };
  }

  function applies(name: string | undefined, type: GraphQLObjectType | GraphQLInterfaceType): boolean {
    if (!name || name === type.name) return true;
    const condition = schema.getType(name);
    return isAbstractType(condition) && schema.isSubType(condition, type);
  }
}

function leafOf(type: GraphQLLeafType): (value: unknown) => unknown {
  if (isEnumType(type)) return (value) => (typeof value === 'string' && type.getValue(value) ? value : undefined);
  return BUILT_IN[type.name] ?? ((value) => value);
}
