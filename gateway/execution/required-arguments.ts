import type { FetchDataRewrite, FetchNode, PlanNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type ArgumentNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { operationOf } from './fields.ts';

/** Fields that stand for others with the arguments with which something requires them: what they stand for, by name. */
export type Stands = ReadonlyMap<string, { name: string; arguments: readonly ArgumentNode[] }>;

/** The paths of what a field of a subgraph's requires, each with a dot before every name. */
export type Requires = (subgraph: string, type: string, field: string) => readonly string[];

type TypeNode = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

const isType = (node: { kind: string }): node is TypeNode =>
  node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;

/**
 * The planner takes a required field for the same whatever arguments it is required with. So each field that a
 * `@requires` names with arguments gets a field of its own to stand for it, hidden from clients: `price(currency: "USD")`
 * is planned as `price_required_1`, asked for as `price_required_1: price(currency: "USD")`, and told to whom requires it
 * as `price` (`askRequired`).
 */
export function nameRequired(sdl: string): { sdl: string; stands: Stands } {
  const stands = new Map<string, { name: string; arguments: readonly ArgumentNode[] }>();
  if (!/requires:/.test(sdl)) return { sdl, stands };
  const document = parse(sdl, { noLocation: true });
  const types = new Map(document.definitions.filter(isType).map((type) => [type.name.value, type]));
  const added = new Map<string, Map<string, FieldDefinitionNode>>();
  const known = new Map<string, string>();

  const standFor = (type: string, field: FieldNode): string => {
    const key = `${type}.${print({ ...field, selectionSet: undefined })}`;
    let name = known.get(key);
    if (!name) {
      name = `${field.name.value}_required_${known.size + 1}`;
      known.set(key, name);
      stands.set(name, { name: field.name.value, arguments: field.arguments ?? [] });
    }
    for (const owner of withImplementations(type)) {
      const original = types.get(owner)?.fields?.find((one) => one.name.value === field.name.value);
      const held = added.get(owner) ?? new Map<string, FieldDefinitionNode>();
      if (original) held.set(name, hiddenCopy(original, name));
      added.set(owner, held);
    }
    return name;
  };
  const withImplementations = (type: string) => [
    type,
    ...[...types.values()]
      .filter(({ interfaces = [] }) => interfaces.some(({ name }) => name.value === type))
      .map(({ name }) => name.value),
  ];
  const rename = (set: SelectionSetNode, type: string): SelectionSetNode => ({
    ...set,
    selections: set.selections.map((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return node;
      if (node.kind === Kind.INLINE_FRAGMENT)
        return { ...node, selectionSet: rename(node.selectionSet, node.typeCondition?.name.value ?? type) };
      const field = types.get(type)?.fields?.find((one) => one.name.value === node.name.value);
      const inner = node.selectionSet && field ? rename(node.selectionSet, namedTypeOf(field)) : node.selectionSet;
      if (!node.arguments?.length) return { ...node, selectionSet: inner };
      const value = standFor(type, node);
      return { ...node, name: { kind: Kind.NAME, value }, arguments: [], selectionSet: inner };
    }),
  });

  const renamed = visit(document, {
    ObjectTypeDefinition: (type) => renameIn(type, rename),
    InterfaceTypeDefinition: (type) => renameIn(type, rename),
  });
  if (stands.size === 0) return { sdl, stands };
  const left = usesOf(renamed, withImplementations);
  const isUnused = (type: string, field: string, directive: ConstDirectiveNode) =>
    [...known.keys()].some((key) => key.startsWith(`${type}.${field}(`)) &&
    argumentOf(directive, 'external') === true &&
    !left.has(`${argumentOf(directive, 'graph')}/${type}.${field}`);
  // the copies' own requirements may have arguments, too; those are planned like all others
  const whole: DocumentNode = visit(renamed, {
    ObjectTypeDefinition: (type) => withFields(withoutUnused(type, isUnused), added),
    InterfaceTypeDefinition: (type) => withFields(withoutUnused(type, isUnused), added),
  });
  return { sdl: print(withHiding(whole)), stands };
}

/** What subgraphs use of others' fields, in all their sets of fields: `GRAPH/Type.field`. */
function usesOf(document: DocumentNode, withImplementations: (type: string) => string[]): ReadonlySet<string> {
  const types = new Map(document.definitions.filter(isType).map((type) => [type.name.value, type]));
  const uses = new Set<string>();
  const walk = (set: SelectionSetNode, type: string, graph: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) continue;
      if (node.kind === Kind.INLINE_FRAGMENT) {
        walk(node.selectionSet, node.typeCondition?.name.value ?? type, graph);
        continue;
      }
      for (const owner of withImplementations(type)) uses.add(`${graph}/${owner}.${node.name.value}`);
      const field = types.get(type)?.fields?.find((one) => one.name.value === node.name.value);
      if (node.selectionSet && field) walk(node.selectionSet, namedTypeOf(field), graph);
    }
  };
  const read = (directive: ConstDirectiveNode, argument: string, type: string) => {
    const text = argumentOf(directive, argument);
    if (typeof text === 'string')
      walk(operationOf(parse(`{ ${text} }`)).selectionSet, type, String(argumentOf(directive, 'graph')));
  };
  for (const type of types.values()) {
    for (const directive of type.directives ?? []) read(directive, 'key', type.name.value);
    for (const field of type.fields ?? [])
      for (const directive of field.directives ?? []) {
        read(directive, 'requires', type.name.value);
        read(directive, 'provides', namedTypeOf(field));
      }
  }
  return uses;
}

function argumentOf({ arguments: given = [] }: ConstDirectiveNode, name: string): string | boolean | undefined {
  const value = given.find((one) => one.name.value === name)?.value;
  return value && 'value' in value ? value.value : undefined;
}

function withoutUnused<T extends TypeNode>(
  type: T,
  isUnused: (type: string, field: string, directive: ConstDirectiveNode) => boolean,
): T {
  return {
    ...type,
    fields: type.fields?.map((field) => ({
      ...field,
      directives: field.directives?.filter((directive) => !isUnused(type.name.value, field.name.value, directive)),
    })),
  };
}

function namedTypeOf({ type }: FieldDefinitionNode): string {
  let inner = type;
  while (inner.kind !== Kind.NAMED_TYPE) inner = inner.type;
  return inner.name.value;
}

function renameIn<T extends TypeNode>(type: T, rename: (set: SelectionSetNode, type: string) => SelectionSetNode): T {
  return {
    ...type,
    fields: type.fields?.map((field) => ({
      ...field,
      directives: field.directives?.map((directive) => renameInJoin(directive, type.name.value, rename)),
    })),
  };
}

function renameInJoin(
  directive: ConstDirectiveNode,
  type: string,
  rename: (set: SelectionSetNode, type: string) => SelectionSetNode,
): ConstDirectiveNode {
  if (directive.name.value !== 'join__field') return directive;
  return {
    ...directive,
    arguments: directive.arguments?.map((argument) => {
      if (argument.name.value !== 'requires' || argument.value.kind !== Kind.STRING) return argument;
      const set = operationOf(parse(`{ ${argument.value.value} }`, { noLocation: true })).selectionSet;
      const text = print(rename(set, type)).slice(1, -1).replace(/\s+/g, ' ').trim();
      return { ...argument, value: { kind: Kind.STRING, value: text } };
    }),
  };
}

const HIDDEN: ConstDirectiveNode = { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: 'inaccessible' } };

function hiddenCopy(field: FieldDefinitionNode, value: string): FieldDefinitionNode {
  const others = field.directives?.filter(({ name }) => name.value.startsWith('join__')) ?? [];
  return {
    ...field,
    name: { kind: Kind.NAME, value },
    description: undefined,
    arguments: [],
    directives: [...others, HIDDEN],
  };
}

function withFields<T extends TypeNode>(
  type: T,
  added: ReadonlyMap<string, ReadonlyMap<string, FieldDefinitionNode>>,
): T {
  const more = added.get(type.name.value);
  return more ? { ...type, fields: [...(type.fields ?? []), ...more.values()] } : type;
}

const HIDING = 'https://specs.apollo.dev/inaccessible/v0.2';

/** The document with `@inaccessible` known in it. */
function withHiding(document: DocumentNode): DocumentNode {
  const isKnown = document.definitions.some(
    (node) => node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === 'inaccessible',
  );
  if (isKnown) return document;
  const { definitions } = parse(
    `schema @link(url: "${HIDING}", for: SECURITY) { query: Query }
    directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`,
    { noLocation: true },
  );
  const [linked, definition] = definitions;
  return {
    ...document,
    definitions: [
      ...document.definitions.map((node) =>
        node.kind === Kind.SCHEMA_DEFINITION && linked?.kind === Kind.SCHEMA_DEFINITION
          ? { ...node, directives: [...(node.directives ?? []), ...(linked.directives ?? [])] }
          : node,
      ),
      ...(definition ? [definition] : []),
    ],
  };
}

/** Gives a plan back the fields that others stood for, each asked for under the name of what stands for it. */
export function askRequired(node: PlanNode, stands: Stands, requires: Requires): PlanNode {
  if (stands.size === 0) return node;
  const again = (inner: PlanNode) => askRequired(inner, stands, requires);
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return { ...node, nodes: node.nodes.map(again) };
    case 'Flatten':
      return { ...node, node: again(node.node) };
    case 'Condition':
      return {
        ...node,
        ...(node.ifClause ? { ifClause: again(node.ifClause) } : {}),
        ...(node.elseClause ? { elseClause: again(node.elseClause) } : {}),
      };
    case 'Fetch': {
      const fetches = split(node, stands, requires).map((fetch) => askOne(fetch, stands));
      return fetches.length === 1 ? (fetches[0] as FetchNode) : { kind: 'Parallel', nodes: fetches };
    }
    default:
      return node;
  }
}

/** The same for one fetch that needs no splitting. */
export function askOne(fetch: FetchNode, stands: Stands): FetchNode {
  if (stands.size === 0) return fetch;
  const document = visit(parse(fetch.operation, { noLocation: true }), {
    Field: (field) => {
      const what = stands.get(field.name.value);
      if (!what) return undefined;
      return {
        ...field,
        alias: field.alias ?? field.name,
        name: { kind: Kind.NAME, value: what.name },
        arguments: what.arguments,
      };
    },
  });
  const renamings = renamingsIn(fetch.requires ?? [], stands, []);
  return {
    ...fetch,
    operation: print(document),
    ...(renamings.length > 0 ? { inputRewrites: [...(fetch.inputRewrites ?? []), ...renamings] } : {}),
  };
}

function renamingsIn(
  selections: readonly QueryPlanSelectionNode[],
  stands: Stands,
  path: readonly string[],
): FetchDataRewrite[] {
  return selections.flatMap((selection): FetchDataRewrite[] => {
    if (selection.kind === 'InlineFragment')
      return renamingsIn(
        selection.selections,
        stands,
        selection.typeCondition ? [...path, `... on ${selection.typeCondition}`] : path,
      );
    const key = selection.alias ?? selection.name;
    const inner = selection.selections ? renamingsIn(selection.selections, stands, [...path, key]) : [];
    const what = stands.get(selection.name);
    return what ? [...inner, { kind: 'KeyRenamer', path: [...path, key], renameKeyTo: what.name }] : inner;
  });
}

/**
 * A subgraph cannot be told two values of one field at once: fields that require it with different arguments are asked
 * for apart.
 */
function split(fetch: FetchNode, stands: Stands, requires: Requires): FetchNode[] {
  const places = placesOf(fetch.requires ?? [], stands);
  const isClash = (a: string, b: string) => a !== b && places.get(a) === places.get(b);
  const clashing = new Set([...places.keys()].filter((a) => [...places.keys()].some((b) => isClash(a, b))));
  if (clashing.size === 0) return [fetch];
  const groups: { needs: Set<string>; fields: Set<string> }[] = [];
  const document = parse(fetch.operation, { noLocation: true });
  eachEntityField(document, (type, field) => {
    const needs = requires(fetch.serviceName, type, field).filter((path) => clashing.has(path));
    let group = groups.find((one) => !needs.some((a) => [...one.needs].some((b) => isClash(a, b))));
    if (!group) {
      group = { needs: new Set(), fields: new Set() };
      groups.push(group);
    }
    for (const path of needs) group.needs.add(path);
    group.fields.add(`${type}.${field}`);
    return true;
  });
  return groups.map(({ needs, fields }) => ({
    ...fetch,
    operation: print(eachEntityField(document, (type, field) => fields.has(`${type}.${field}`))),
    requires: onlyTold(fetch.requires ?? [], (path) => !clashing.has(path) || needs.has(path)),
  }));
}

/** The fields a subgraph is told, by their paths: each with the path under which it is told. */
function placesOf(
  selections: readonly QueryPlanSelectionNode[],
  stands: Stands,
  above = { path: '', place: '' },
  found = new Map<string, string>(),
): Map<string, string> {
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      placesOf(selection.selections, stands, above, found);
      continue;
    }
    const here = {
      path: `${above.path}.${selection.name}`,
      place: `${above.place}.${stands.get(selection.name)?.name ?? selection.name}`,
    };
    found.set(here.path, here.place);
    placesOf(selection.selections ?? [], stands, here, found);
  }
  return found;
}

function onlyTold(
  selections: readonly QueryPlanSelectionNode[],
  isTold: (path: string) => boolean,
  above = '',
): QueryPlanSelectionNode[] {
  return selections.flatMap((selection): QueryPlanSelectionNode[] => {
    const path = selection.kind === 'Field' ? `${above}.${selection.name}` : above;
    if (selection.kind === 'Field' && !isTold(path)) return [];
    if (!selection.selections) return [selection];
    const inner = onlyTold(selection.selections, isTold, path);
    return inner.length > 0 ? [{ ...selection, selections: inner } as QueryPlanSelectionNode] : [];
  });
}

/** Goes through the fields a fetch asks of its entities; those of which `keeps` is false are left out. */
function eachEntityField(document: DocumentNode, keeps: (type: string, field: string) => boolean): DocumentNode {
  const walk = (set: SelectionSetNode, type: string): SelectionSetNode => ({
    ...set,
    selections: set.selections.flatMap((node): SelectionNode[] => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return [node];
      if (node.kind === Kind.FIELD)
        return node.name.value === '__typename' || keeps(type, node.name.value) ? [node] : [];
      const inner = walk(node.selectionSet, node.typeCondition?.name.value ?? type);
      return inner.selections.length > 0 ? [{ ...node, selectionSet: inner }] : [];
    }),
  });
  return visit(document, {
    Field: (node) => {
      if (node.name.value !== '_entities' || !node.selectionSet) return undefined;
      return { ...node, selectionSet: walk(node.selectionSet, '') };
    },
  });
}
