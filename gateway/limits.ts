import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { ClientError } from '../schema/errors.ts';

/** Largest request body, bytes. */
export const MAX_BODY = 256 * 1024;
/** Largest message on a socket, bytes. */
export const MAX_MESSAGE = 64 * 1024;
export const MAX_TOKENS = 10_000;
const MAX_DEPTH = 12;
/** Introspection is deeper than any query of ours. */
const MAX_INTROSPECTION_DEPTH = 20;
const MAX_ALIASES = 30;
const MAX_ROOT_FIELDS = 20;
const MAX_FIELDS = 1_000;
const MAX_DIRECTIVES = 8;
/** Fields and fragments, counted where they are spread: fragments that spread nothing but fragments hold no field. */
const MAX_SELECTIONS = 2_000;
/** Entries an answer may have at most, were every page full. */
const MAX_ENTRIES = 100_000;
/** What a list without pages is taken to hold. */
const UNPAGED_ENTRIES = 3;

const limit = (sentence: string) => new ClientError('OPERATION_LIMIT', sentence);

interface Count {
  selections: number;
  fields: number;
  aliases: number;
}

/**
 * Refuses a document that asks for too much at once, before it is validated or planned. Fragments are counted where they
 * are spread, so a short document cannot stand for a long one. Throws OPERATION_LIMIT with a sentence.
 */
export function checkDocument(document: DocumentNode): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const count: Count = { selections: 0, fields: 0, aliases: 0 };
    const roots = walk(node.selectionSet, fragments, new Set(), 1, count);
    if (roots > MAX_ROOT_FIELDS) throw limit(`An operation has at most ${MAX_ROOT_FIELDS} root fields.`);
  }
}

/** Introspection may go deeper, and nothing that stands beside it. */
const headStartOf = ({ name }: FieldNode) => (name.value === '__schema' ? MAX_INTROSPECTION_DEPTH - MAX_DEPTH : 0);

/** Walks one selection set; answers how many fields stand at its own level. */
function walk(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  open: ReadonlySet<string>,
  depth: number,
  count: Count,
): number {
  if (depth > MAX_DEPTH) throw limit(`An operation is at most ${MAX_DEPTH} levels deep.`);
  let level = 0;
  for (const node of set.selections) {
    count.selections += 1;
    if (count.selections > MAX_SELECTIONS) throw limit(`An operation has at most ${MAX_SELECTIONS} selections.`);
    if ((node.directives?.length ?? 0) > MAX_DIRECTIVES)
      throw limit(`At most ${MAX_DIRECTIVES} directives stand at one place.`);
    if (node.kind === Kind.FIELD) {
      level += 1;
      count.fields += 1;
      if (node.alias) count.aliases += 1;
      if (count.fields > MAX_FIELDS) throw limit(`An operation asks for at most ${MAX_FIELDS} fields.`);
      if (count.aliases > MAX_ALIASES) throw limit(`An operation has at most ${MAX_ALIASES} aliases.`);
      if (node.selectionSet) walk(node.selectionSet, fragments, open, depth + 1 - headStartOf(node), count);
      continue;
    }
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      const name = node.name.value;
      const fragment = fragments.get(name);
      if (!fragment || open.has(name)) continue; // validation says what is wrong with those
      level += walk(fragment.selectionSet, fragments, new Set([...open, name]), depth, count);
      continue;
    }
    level += walk(node.selectionSet, fragments, open, depth, count);
  }
  return level;
}

/**
 * Refuses an operation whose answer could not be held: pages of a hundred within pages of a hundred. It must be valid.
 * @param variables coerced.
 */
export function checkEntries(schema: GraphQLSchema, document: DocumentNode, variables: Record<string, unknown>): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  let entries = 0;
  const walkIn = (set: SelectionSetNode, type: GraphQLNamedType | undefined, times: number, page?: number): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
        if (!field || !node.selectionSet) continue; // of introspection, too, whose size is the schema's
        let inner = times;
        if (isListType(getNullableType(field.type))) {
          inner *= page ?? UNPAGED_ENTRIES;
          entries += inner;
          if (entries > MAX_ENTRIES)
            throw limit(`An answer has at most ${MAX_ENTRIES} entries. Ask for smaller pages within pages.`);
        }
        walkIn(node.selectionSet, getNamedType(field.type), inner, pageOf(field, node, variables));
        continue;
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      const named = fragment?.typeCondition?.name.value;
      if (fragment) walkIn(fragment.selectionSet, named ? schema.getType(named) : type, times, page);
    }
  };
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION)
      walkIn(node.selectionSet, schema.getRootType(node.operation) ?? undefined, 1);
}

/** How many entries a field's page is asked to have; undefined for a field without pages. */
function pageOf(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Record<string, unknown>) {
  const argument = field.args.find(({ name }) => name === 'first');
  if (!argument) return undefined;
  const given = node.arguments?.find(({ name }) => name.value === 'first')?.value;
  const asked =
    given?.kind === Kind.VARIABLE ? variables[given.name.value] : given?.kind === Kind.INT ? given.value : undefined;
  return Math.max(1, Number(asked ?? argument.defaultValue ?? 1));
}

/** NUL cannot be stored in PostgreSQL's text, and a lone surrogate is no character. */
const isUnstorable = (text: string) => text.includes('\0') || !text.isWellFormed();

/** Refuses variables that hold what no text may hold, or a key that would reach an object's prototype. */
export function checkVariables(value: unknown, depth = 0): void {
  if (depth > 32) throw new ClientError('BAD_USER_INPUT', 'The variables are nested too deeply.');
  if (typeof value === 'string') {
    if (isUnstorable(value)) throw new ClientError('BAD_USER_INPUT', 'A text holds a character that cannot be stored.');
  } else if (Array.isArray(value)) {
    for (const item of value) checkVariables(item, depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__' || isUnstorable(key))
        throw new ClientError('BAD_USER_INPUT', 'A variable has a key that is not allowed.');
      checkVariables(item, depth + 1);
    }
  }
}

/** The same for the texts written into a document: only an escape can bring such a character there. */
export function checkQueryText(query: string): void {
  if (isUnstorable(query) || /\\u(0000|\{0+\}|[dD][89a-fA-F]\w\w)/.test(query)) {
    throw new ClientError('BAD_USER_INPUT', 'A text holds a character that cannot be stored.');
  }
}
