import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { badInput, ClientError } from '../schema/errors.ts';

/** Largest request body, bytes. */
export const MAX_BODY = 256 * 1024;
/** Largest message on a socket, bytes. */
export const MAX_MESSAGE = 64 * 1024;

/** What one document may hold, and what one operation may cost. */
export interface Limits {
  tokens: number;
  operations: number;
  /** Definitions: validation compares each spread at a place with each other. */
  fragments: number;
  depth: number;
  aliases: number;
  rootFields: number;
  /** Fields, counted where their fragments are spread. */
  fields: number;
  /** Fields and fragments, counted likewise: fragments that spread nothing but fragments hold no field. */
  selections: number;
  /** How often one place of the answer is asked for: validation compares each time with each other. */
  repeats: number;
  directives: number;
  /** By `@cost` and `@listSize`, with the page sizes of the variables. */
  cost: number;
}

export const LIMITS: Limits = {
  tokens: 10_000,
  operations: 20,
  fragments: 200,
  depth: 12,
  aliases: 30,
  rootFields: 20,
  fields: 1_000,
  selections: 2_000,
  repeats: 50,
  directives: 8,
  cost: 10_000,
};

/** For a graph that is not ours, served to whoever asks: only what no server could bear is refused. */
export const PUBLIC_LIMITS: Limits = {
  tokens: 50_000,
  operations: 1_000,
  fragments: 1_000,
  depth: 50,
  aliases: 1_000,
  rootFields: 1_000,
  fields: 10_000,
  selections: 20_000,
  repeats: 100,
  directives: 50,
  cost: Number.MAX_SAFE_INTEGER,
};

export const MAX_TOKENS = LIMITS.tokens;
/** Introspection is deeper than any query of ours by this many levels. */
const INTROSPECTION_HEAD_START = 8;

const limit = (sentence: string) => new ClientError('OPERATION_LIMIT', sentence);

/** One place of an answer: how often it is asked for, and what stands under it. */
interface Place {
  times: number;
  under: Map<string, Place>;
}
const newPlace = (): Place => ({ times: 0, under: new Map() });

/**
 * Refuses a document that asks for too much at once, before it is validated or planned. Fragments are counted where they
 * are spread, so a short document cannot stand for a long one, and a place of the answer may be asked for only so often,
 * so that validation takes no longer than the document is long. Throws OPERATION_LIMIT with a sentence, and
 * BAD_USER_INPUT for a fragment that was not counted: nothing spreads it, or another one has its name.
 */
export function checkDocument(document: DocumentNode, limits: Limits = LIMITS): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) {
      const name = node.name.value;
      if (fragments.has(name)) throw badInput(`There can be only one fragment named "${name}".`);
      fragments.set(name, node);
    }
    if (node.kind === Kind.OPERATION_DEFINITION) operations.push(node);
    checkDirectives(node as { directives?: readonly DirectiveNode[] });
  }
  if (operations.length > limits.operations) throw limit(`A document has at most ${limits.operations} operations.`);
  if (fragments.size > limits.fragments) throw limit(`A document has at most ${limits.fragments} fragments.`);
  const spread = new Set<string>();
  for (const node of operations) {
    for (const variable of node.variableDefinitions ?? []) checkDirectives(variable);
    const count = { selections: 0, fields: 0, aliases: 0 };
    const roots = walk(node.selectionSet, newPlace(), 1, count, new Set());
    if (roots > limits.rootFields) throw limit(`An operation has at most ${limits.rootFields} root fields.`);
  }
  for (const name of fragments.keys()) if (!spread.has(name)) throw badInput(`Fragment "${name}" is never used.`);

  function checkDirectives({ directives }: { directives?: readonly DirectiveNode[] }): void {
    if ((directives?.length ?? 0) > limits.directives)
      throw limit(`At most ${limits.directives} directives stand at one place.`);
  }

  /** Walks one selection set; answers how many fields stand at its own level. `open` are the fragments it stands in. */
  function walk(
    set: SelectionSetNode,
    place: Place,
    depth: number,
    count: { selections: number; fields: number; aliases: number },
    open: Set<string>,
  ): number {
    if (depth > limits.depth) throw limit(`An operation is at most ${limits.depth} levels deep.`);
    let level = 0;
    for (const node of set.selections) {
      count.selections += 1;
      if (count.selections > limits.selections)
        throw limit(`An operation has at most ${limits.selections} selections.`);
      checkDirectives(node);
      if (node.kind === Kind.FIELD) {
        level += 1;
        count.fields += 1;
        if (node.alias) count.aliases += 1;
        if (count.fields > limits.fields) throw limit(`An operation asks for at most ${limits.fields} fields.`);
        if (count.aliases > limits.aliases) throw limit(`An operation has at most ${limits.aliases} aliases.`);
        const asked = placeOf(node, place);
        if (node.selectionSet) walk(node.selectionSet, asked, depth + 1 - headStartOf(node), count, open);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        level += walk(node.selectionSet, place, depth, count, open);
      } else {
        const name = node.name.value;
        const fragment = fragments.get(name);
        spread.add(name);
        if (!fragment || open.has(name)) continue; // validation says what is wrong with those
        open.add(name);
        level += walk(fragment.selectionSet, place, depth, count, open);
        open.delete(name);
      }
    }
    return level;
  }

  function placeOf({ alias, name }: FieldNode, { under }: Place): Place {
    const key = alias?.value ?? name.value;
    const place = under.get(key) ?? newPlace();
    under.set(key, place);
    place.times += 1;
    if (place.times > limits.repeats) throw limit(`The same field is asked for at most ${limits.repeats} times.`);
    return place;
  }
}

/** Introspection may go deeper, and nothing that stands beside it. */
const headStartOf = ({ name }: FieldNode) => (name.value === '__schema' ? INTROSPECTION_HEAD_START : 0);

/** Refuses an operation that costs more than one may: pages of a hundred within pages of a hundred. */
export function checkCost(cost: number, limits: Limits = LIMITS): void {
  if (cost > limits.cost)
    throw limit(`This operation costs ${cost}, and one may cost ${limits.cost}. Ask for less, or for smaller pages.`);
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
