import type { FetchNode } from '@apollo/query-planner';
import { type GraphQLFormattedError, parse } from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import { blame, type Data, isObject, note, type Path } from './faults.ts';
import { fragmentsOf, operationOf, topFields } from './fields.ts';

export type Errors = readonly GraphQLFormattedError[];

const UNANSWERED = new ClientError(
  'SUBGRAPH_UNAVAILABLE',
  'A part of the answer is not available right now. Please try again.',
).toJSON();

/** What a subgraph says in its `errors`, as far as it is in their form. */
export function readErrors(errors: unknown): Errors {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isObject).map(({ message, path, extensions }) => ({
    message: String(message),
    ...(Array.isArray(path) ? { path } : {}),
    ...(isObject(extensions) ? { extensions } : {}),
  }));
}

/** Errors by the entity they are about, their paths from there; and those about none. */
export function sortErrors(errors: Errors): { ofEntity: ReadonlyMap<number, Errors>; general: Errors } {
  const ofEntity = new Map<number, GraphQLFormattedError[]>();
  const general: GraphQLFormattedError[] = [];
  for (const error of errors) {
    const [, index, ...path] = error.path ?? [];
    if (typeof index !== 'number') {
      general.push({ ...error, path: undefined });
      continue;
    }
    const known = ofEntity.get(index) ?? [];
    known.push({ ...error, path });
    ofEntity.set(index, known);
  }
  return { ofEntity, general };
}

/** Notes on what a subgraph answered why parts of it are missing. Answers the errors that are about nothing missing. */
export function explain(fetch: FetchNode, answer: Data, errors: Errors): Errors {
  if (errors.length === 0) return errors;
  const rename = renaming(fetch);
  return errors
    .filter((error) => !blame(answer, error, error.path ?? [], rename))
    .map(({ path: _nowhere, ...error }) => error);
}

/** Notes on an object why there is no answer to a whole fetch. */
export function giveUp(
  fetch: FetchNode,
  object: Data,
  error: GraphQLFormattedError = UNANSWERED,
  path: Path = error.path ?? [],
): void {
  const rename = renaming(fetch);
  for (const key of keysOf(fetch)) {
    if (object[key] !== undefined) continue;
    note(object, { error, at: [rename(key)], path: (path.length > 0 ? path : [key]).map(rename) });
  }
}

/** Whether a subgraph left out something it was asked at the root, where everything asked has an answer. */
export const isLacking = (fetch: FetchNode, answer: Data): boolean =>
  keysOf(fetch).some((key) => answer[key] === undefined);

/** The planner's own aliases, which are taken off before an answer is merged. */
function renaming({ outputRewrites = [] }: FetchNode): (key: string | number) => string | number {
  const names = new Map(
    outputRewrites.flatMap((rewrite) =>
      rewrite.kind === 'KeyRenamer' ? [[rewrite.path.at(-1), rewrite.renameKeyTo]] : [],
    ),
  );
  return (key) => names.get(key as string) ?? key;
}

const known = new WeakMap<FetchNode, readonly string[]>();

/** The keys a fetch asks of each object it is for. */
export function keysOf(fetch: FetchNode): readonly string[] {
  const keys = known.get(fetch) ?? readKeys(fetch);
  known.set(fetch, keys);
  return keys;
}

function readKeys({ operation, requires }: FetchNode): string[] {
  const document = parse(operation, { noLocation: true });
  const fragments = fragmentsOf(document);
  const fields = topFields(operationOf(document).selectionSet, fragments);
  const asked = requires
    ? fields.flatMap(({ selectionSet }) => (selectionSet ? topFields(selectionSet, fragments) : []))
    : fields;
  return [...new Set(asked.map(({ alias, name }) => alias?.value ?? name.value))];
}
