import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
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

const limit = (sentence: string) => new ClientError('OPERATION_LIMIT', sentence);

interface Count {
  fields: number;
  aliases: number;
  depth: number;
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
    const isIntrospective = node.selectionSet.selections.some(
      (field) => field.kind === Kind.FIELD && field.name.value === '__schema',
    );
    const count: Count = { fields: 0, aliases: 0, depth: isIntrospective ? MAX_INTROSPECTION_DEPTH : MAX_DEPTH };
    const roots = walk(node.selectionSet, fragments, new Set(), 1, count);
    if (roots > MAX_ROOT_FIELDS) throw limit(`An operation has at most ${MAX_ROOT_FIELDS} root fields.`);
  }
}

/** Walks one selection set; answers how many fields stand at its own level. */
function walk(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  open: ReadonlySet<string>,
  depth: number,
  count: Count,
): number {
  if (depth > count.depth) throw limit(`An operation is at most ${MAX_DEPTH} levels deep.`);
  let level = 0;
  for (const node of set.selections) {
    if ((node.directives?.length ?? 0) > MAX_DIRECTIVES)
      throw limit(`At most ${MAX_DIRECTIVES} directives stand at one place.`);
    if (node.kind === Kind.FIELD) {
      level += 1;
      count.fields += 1;
      if (node.alias) count.aliases += 1;
      if (count.fields > MAX_FIELDS) throw limit(`An operation asks for at most ${MAX_FIELDS} fields.`);
      if (count.aliases > MAX_ALIASES) throw limit(`An operation has at most ${MAX_ALIASES} aliases.`);
      if (node.selectionSet) walk(node.selectionSet, fragments, open, depth + 1, count);
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
