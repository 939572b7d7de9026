import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { badInput, ClientError } from '../schema/errors.ts';
import { StartFailure } from '../subgraphs/_kernel/embedded-postgres.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Caller } from './auth.ts';
import { type Operation, prepareOperation } from './execution/operation.ts';
import type { Limits } from './limits.ts';
import type { Supergraph } from './supergraph.ts';

/** An operation our own clients were built with. */
export interface PersistedOperation {
  id: string;
  name: string;
  body: string;
}

/** How a request names its operation: Apollo's extension, or an id beside or in the place of `query`. */
export interface OperationReference {
  query?: unknown;
  operationName?: string | null;
  extensions?: unknown;
  id?: unknown;
  documentId?: unknown;
}

export interface PersistedOperations {
  all(): readonly PersistedOperation[];
  /** The text a request stands for, and the operation meant if it came by its id. Throws one coded error. */
  resolve(request: OperationReference, caller: Caller): { query: string; persisted?: PersistedOperation };
  /** Reads the files again; if one is broken all of them stay as they were. */
  reload(): Promise<boolean>;
  onChange(heard: () => void): void;
  close(): void;
}

/** How often the files are looked at, milliseconds. */
const WATCH_MS = 1_000;
/** Operations all files may hold together: each takes memory and time to plan. */
const MAX_OPERATIONS = 10_000;

/** Apollo's persisted query manifest. */
const MANIFEST = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(
    z.object({
      id: z.string().min(1).max(256),
      name: z.string(),
      type: z.enum(['query', 'mutation', 'subscription']),
      body: z.string().min(1),
    }),
  ),
});

/**
 * Holds the operations of manifests. With `isIdsOnly`, portal customers and whoever has not signed in may run nothing
 * else: what strangers can make us do is then what we wrote ourselves. Staff and keys write their own.
 * Rejects with a sentence when a file cannot be read.
 */
export async function managePersistedOperations(
  files: readonly string[],
  isIdsOnly: boolean,
  log: Logger,
): Promise<PersistedOperations> {
  let operations = await readManifests(files).catch((error: Error) => {
    throw new StartFailure('MANIFEST_UNREADABLE', error.message);
  });
  const listeners: (() => void)[] = [];
  const reload = async (): Promise<boolean> => {
    try {
      operations = await readManifests(files);
    } catch (error) {
      log.error(
        { error: (error as Error).message },
        'the new persisted operations are refused; the last good ones stay',
      );
      return false;
    }
    for (const heard of listeners) heard();
    return true;
  };
  const changed = () => void reload();
  for (const file of files) watchFile(file, { interval: WATCH_MS, persistent: false }, changed);
  return {
    all: () => [...operations.values()],
    resolve(request, caller) {
      const { query } = request;
      const id = idOf(request);
      const persisted = id === undefined ? undefined : operations.get(id);
      if (persisted) {
        if (query !== undefined && query !== persisted.body)
          throw badInput('The query is not the one its id stands for.');
        return { query: persisted.body, persisted };
      }
      if (isIdsOnly && (caller.kind === 'ANONYMOUS' || caller.customerId !== null))
        throw new ClientError('FORBIDDEN', 'Only operations of our own portals may be run here, each by its id.', {
          reason: 'PERSISTED_OPERATION_REQUIRED',
        });
      if (query === undefined && id !== undefined)
        throw new ClientError('BAD_USER_INPUT', 'There is no operation with this id.', {
          reason: 'PERSISTED_OPERATION_NOT_FOUND',
        });
      if (typeof query !== 'string' || query === '') throw badInput('A request has a query.');
      return { query };
    },
    reload,
    onChange: (heard) => void listeners.push(heard),
    close: () => {
      for (const file of files) unwatchFile(file, changed);
    },
  };
}

/** The id a request names. Throws BAD_USER_INPUT for one that is no text. */
function idOf({ extensions, id, documentId }: OperationReference): string | undefined {
  const held = (extensions as { persistedQuery?: { version?: unknown; sha256Hash?: unknown } } | null | undefined)
    ?.persistedQuery;
  if (held != null && held.version !== 1) throw badInput('Persisted operations are known in version 1.');
  const named = held?.sha256Hash ?? id ?? documentId ?? undefined;
  if (named !== undefined && typeof named !== 'string') throw badInput('The id of an operation is a text.');
  return named;
}

async function readManifests(files: readonly string[]): Promise<Map<string, PersistedOperation>> {
  const operations = new Map<string, PersistedOperation>();
  for (const file of files) {
    for (const { id, name, body } of await readManifest(file)) {
      const known = operations.get(id);
      if (known && known.body !== body) throw new Error(`${file} holds another operation under the id ${id}.`);
      operations.set(id, { id, name, body });
    }
  }
  if (operations.size > MAX_OPERATIONS)
    throw new Error(`There are ${operations.size} persisted operations, and at most ${MAX_OPERATIONS} are held.`);
  return operations;
}

async function readManifest(file: string): Promise<readonly PersistedOperation[]> {
  try {
    return MANIFEST.parse(JSON.parse(await readFile(file, 'utf8'))).operations;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`PERSISTED_OPERATIONS: ${file} is no manifest of persisted operations. ${why}`);
  }
}

/** Operations made ready, by the id they are asked for. */
export interface Warm {
  ready: ReadonlyMap<string, Operation>;
  /** Ids that cannot run over this supergraph, each with a sentence. */
  refused: ReadonlyMap<string, string>;
}

/**
 * Makes persisted operations ready over a supergraph, plans and all, so that no client waits for a plan. Between two of
 * them other work goes on. One that this supergraph cannot answer is named and left out: a portal may be newer, or older.
 */
export async function warm(
  supergraph: Supergraph,
  operations: readonly PersistedOperation[],
  limits?: Limits,
): Promise<Warm> {
  const ready = new Map<string, Operation>();
  const refused = new Map<string, string>();
  for (const { id, name, body } of operations) {
    try {
      const operation = prepareOperation(supergraph, body, name || undefined, limits);
      operation.warm();
      ready.set(id, operation);
    } catch (error) {
      refused.set(id, ([error].flat()[0] as Error).message);
    }
    await nextTurn();
  }
  return { ready, refused };
}
