import {
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

/** The fields of a field set, each with those below it. */
export type FieldSet = ReadonlyMap<string, FieldSet>;

interface FieldOwnership {
  isExternal: boolean;
  provides?: FieldSet;
}

/** What a subgraph's SDL says of itself: which fields are its own, and what it may be asked for. */
export interface Ownership {
  field(type: string, field: string): FieldOwnership;
  objects: ReadonlyMap<string, readonly string[]>;
  abstracts: readonly string[];
  /** Types whose references it resolves, with the keys it takes. */
  entities: ReadonlyMap<string, readonly FieldSet[]>;
}

/** Reads `a b { c }`; fragments count as if their fields stood in their place. */
export function readFieldSet(text: string): FieldSet {
  const definition = parse(`{ ${text} }`).definitions[0] as { selectionSet: SelectionSetNode };
  return fieldsIn(definition.selectionSet);
}

/** All fields of some field sets. */
export function joined(...sets: readonly (FieldSet | undefined)[]): FieldSet {
  const found = new Map<string, FieldSet>();
  for (const set of sets) for (const [name, inner] of set ?? []) found.set(name, joined(found.get(name), inner));
  return found;
}

function fieldsIn({ selections }: SelectionSetNode): FieldSet {
  return joined(
    ...selections.map((node): FieldSet => {
      if (node.kind === Kind.FIELD)
        return new Map([[node.name.value, node.selectionSet ? fieldsIn(node.selectionSet) : new Map()]]);
      return node.kind === Kind.INLINE_FRAGMENT ? fieldsIn(node.selectionSet) : new Map();
    }),
  );
}

const directive = (node: { directives?: readonly ConstDirectiveNode[] }, name: string) =>
  node.directives?.filter((found) => found.name.value === name) ?? [];
const argument = (node: ConstDirectiveNode, name: string) =>
  node.arguments?.find((found) => found.name.value === name)?.value as { value?: unknown } | undefined;
const fieldSet = (node: ConstDirectiveNode | undefined) =>
  node ? readFieldSet(String(argument(node, 'fields')?.value)) : undefined;

export function ownershipOf(sdl: string): Ownership {
  const document = parse(sdl);
  const fields = new Map<string, FieldOwnership>();
  const objects = new Map<string, string[]>();
  const abstracts = new Set<string>();
  const entities = new Map<string, FieldSet[]>();
  for (const node of document.definitions) {
    if (node.kind === Kind.UNION_TYPE_DEFINITION || node.kind === Kind.UNION_TYPE_EXTENSION)
      abstracts.add(node.name.value);
    const isObject = node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION;
    const isInterface = node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_EXTENSION;
    if (!isObject && !isInterface) continue;
    const type = node.name.value;
    if (isInterface) abstracts.add(type);
    const keys = directive(node, 'key');
    const taken = keys.filter((key) => argument(key, 'resolvable')?.value !== false);
    if (taken.length > 0)
      entities.set(type, [...(entities.get(type) ?? []), ...taken.map((key) => fieldSet(key) as FieldSet)]);
    if (isObject)
      objects.set(type, [...(objects.get(type) ?? []), ...(node.fields ?? []).map((field) => field.name.value)]);
    const ofKeys = new Set(keys.flatMap((key) => [...(fieldSet(key) as FieldSet).keys()]));
    for (const field of node.fields ?? [])
      fields.set(`${type}.${field.name.value}`, ownershipOfField(node, field, ofKeys));
  }
  return {
    field: (type, field) => fields.get(`${type}.${field}`) ?? { isExternal: false },
    objects,
    abstracts: [...abstracts],
    entities,
  };
}

function ownershipOfField(
  type: Pick<ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, 'directives'>,
  field: FieldDefinitionNode,
  ofKeys: ReadonlySet<string>,
): FieldOwnership {
  const provides = fieldSet(directive(field, 'provides')[0]);
  const isMarked = directive(field, 'external').length + directive(type, 'external').length > 0;
  return { isExternal: isMarked && !ofKeys.has(field.name.value), ...(provides ? { provides } : {}) };
}
