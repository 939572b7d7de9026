import { AsyncLocalStorage } from 'node:async_hooks';
import { type EntityManager, IsolationLevel } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import { isBusy, requestCancel } from './cancel-request.ts';
import { resolvedOnce, transactionSeconds } from './metrics.ts';
import { inSpan } from './telemetry.ts';

/** The connection a transaction begins on, which Kysely keeps to itself. */
const beginning = new AsyncLocalStorage<{ client?: PoolClient }>();
/** Connections whose transaction was cancelled: nothing but its rollback is carried out on them any more. */
const barred = new WeakSet<PoolClient>();

/** Whether a statement may be sent with the next one: nobody looks at what it answers. */
const unhurried = new AsyncLocalStorage<true>();
/** Statements that go with the next one. */
const waiting = new WeakMap<PoolClient, string[]>();

type Query = (...args: unknown[]) => unknown;

/**
 * Tells which connection a transaction begins on, lets a barred one carry out nothing new, and sends what begins a
 * transaction with its first statement: each trip to the database costs more than what most statements do there.
 */
export function guard(client: PoolClient): void {
  const query = client.query as Query;
  client.query = ((...args: unknown[]) => {
    const held = beginning.getStore();
    if (held) held.client ??= client;
    if (barred.has(client) && args[0] !== 'rollback') return Promise.reject(over());
    const mayWait = isPlain(args) && (unhurried.getStore() || isBegin(args[0]));
    return mayWait ? keep(client, String(args[0])) : send(client, query, args);
  }) as typeof client.query;
}

const isPlain = ([text, values, ...rest]: unknown[]) =>
  typeof text === 'string' && rest.length === 0 && (values === undefined || (values as unknown[]).length === 0);
const isBegin = (text: unknown) => /^(begin|start transaction)\b/.test(String(text));

const NO_ROWS = { command: '', rowCount: null, rows: [] };

function keep(client: PoolClient, text: string) {
  waiting.set(client, [...(waiting.get(client) ?? []), text]);
  return Promise.resolve(NO_ROWS);
}

function send(client: PoolClient, query: Query, args: unknown[]) {
  const kept = waiting.get(client);
  if (!kept) return query.apply(client, args);
  waiting.delete(client);
  const [text] = args;
  const isUnknown = isBegin(kept[0]); // PostgreSQL has not heard of this transaction
  if (isUnknown && (text === 'rollback' || (text === 'commit' && kept.length === 1))) return Promise.resolve(NO_ROWS);
  if (text === 'rollback') return query.apply(client, args);
  if (isPlain(args)) return (query.call(client, [...kept, text].join(';\n')) as Promise<unknown>).then(ofLast);
  const before = query.call(client, kept.join(';\n')) as Promise<unknown>;
  before.catch(() => undefined); // then the statement behind it fails as well
  return query.apply(client, args);
}

/** Of several statements that are sent together only the last is asked for what it answers. */
const ofLast = (answers: unknown) => (Array.isArray(answers) ? answers.at(-1) : answers);

/** Runs statements which nobody asks for their answer with the one that follows: if they fail, that fails. */
export const withTheNext = <T>(run: () => Promise<T>): Promise<T> => unhurried.run(true, run);

/** A connection that is given back has no transaction left. */
export function unbar(client: PoolClient): void {
  barred.delete(client);
  waiting.delete(client);
}

const over = () => new Error('This transaction is over.');

/** What MikroORM keeps of a transaction: Kysely's own, with the queue of its statements. */
interface Begun {
  executeQuery(...asked: unknown[]): Promise<unknown>;
  commit(): { execute(): Promise<void> };
  rollback(): { execute(): Promise<void> };
  getExecutor(): { provideConnection(run: () => Promise<never>): Promise<never> };
}
const begunOf = (em: EntityManager) => em.getTransactionContext() as unknown as Begun;

/** A transaction that is not over. */
interface Open {
  client?: PoolClient;
  /** Statements that are not answered yet. */
  asked: number;
  isOver: boolean;
  /** Turns away who asks it too late. */
  turnAway: () => void;
  /** The first statement that failed in it. */
  failure?: unknown;
  /** It is cancelled; settled when PostgreSQL knows. */
  cancelling?: Promise<void>;
}
const open = new WeakMap<Begun, Open>();

/** Begins a transaction that `settle` ends. One `ofOneMoment` sees in each statement what its first one saw. */
export async function begin(em: EntityManager, isReadOnly: boolean, ofOneMoment = false): Promise<void> {
  const { promise: isOver, reject } = Promise.withResolvers<never>();
  isOver.catch(() => undefined);
  const held: Open = {
    asked: 0,
    isOver: false,
    turnAway() {
      held.isOver = true;
      if (held.asked > 0) reject(over());
    },
  };
  const moment = ofOneMoment ? { isolationLevel: IsolationLevel.REPEATABLE_READ } : {};
  await beginning.run(held, () => em.begin({ readOnly: isReadOnly, ...moment }));
  const begun = begunOf(em);
  const executeQuery = begun.executeQuery.bind(begun);
  begun.executeQuery = async (...asked) => {
    if (held.isOver) throw over();
    held.asked++;
    try {
      return await Promise.race([executeQuery(...asked), isOver]);
    } catch (error) {
      held.failure ??= error;
      throw error;
    } finally {
      held.asked--;
    }
  };
  open.set(begun, held);
}

/**
 * Stops what runs in a transaction now, and whatever would run in it yet; those who wait for it are told at once. It is
 * still to be settled, and can only be rolled back. One that is being settled already is left alone.
 */
export function cancel(em: EntityManager): void {
  const begun = begunOf(em) as Begun | undefined;
  const held = begun && open.get(begun);
  if (!held?.client || held.cancelling) return;
  const { client } = held;
  barred.add(client);
  held.failure ??= over();
  held.turnAway();
  held.cancelling = isBusy(client) ? requestCancel(client) : Promise.resolve();
  // Whether the request comes late, when another's statement runs, is not known: nobody may use this connection again.
  held.cancelling = held.cancelling.catch(() => client.end());
}

/**
 * Ends a transaction for good. Its last turn on the connection is never given back: a branch that still runs, of a use
 * case that failed or an operation that is answered, would otherwise have its statement carried out in the next
 * transaction on that connection, which may be another tenant's. A commit throws what failed before, although somebody
 * caught it: PostgreSQL would answer it with a rollback and no error.
 */
export async function settle(em: EntityManager, how: 'commit' | 'rollback'): Promise<void> {
  const begun = begunOf(em);
  const held = open.get(begun);
  if (!held) return;
  open.delete(begun);
  const end = async () => {
    const { failure } = held;
    held.turnAway();
    await held.cancelling;
    try {
      if (how === 'commit' && failure) throw failure;
      await begun[how]().execute();
    } catch (error) {
      if (how === 'commit')
        await begun
          .rollback()
          .execute()
          .catch(() => undefined); // gives the connection back
      throw error;
    }
  };
  await new Promise<void>((resolve, reject) => {
    const lastTurn = () => {
      end().then(resolve, reject);
      return new Promise<never>(() => {});
    };
    begun.getExecutor().provideConnection(lastTurn).catch(reject);
  });
}

const transactionMeter = resolvedOnce((label) => {
  const [subgraph = '', outcome = ''] = label.split(' ');
  return transactionSeconds.labels(subgraph, outcome);
});

/** One transaction from begin to commit or rollback, with its span. `enter` runs first in it, `finish` last. */
export async function transact<T>(
  em: EntityManager,
  options: { isReadOnly: boolean; name: string },
  enter: (em: EntityManager) => Promise<void>,
  run: (em: EntityManager) => Promise<T>,
  finish: (em: EntityManager) => Promise<void>,
): Promise<T> {
  const startedAt = performance.now();
  const observe = (outcome: string) =>
    options.isReadOnly ||
    transactionMeter(`${options.name} ${outcome}`).observe((performance.now() - startedAt) / 1_000);
  return inSpan(
    `tx ${options.name}`,
    { attributes: { 'db.system': 'postgresql', 'dotmac.read_only': options.isReadOnly } },
    async () => {
      await begin(em, options.isReadOnly);
      try {
        await enter(em);
        const result = await run(em);
        if (!options.isReadOnly) await em.flush();
        await finish(em);
        await settle(em, 'commit');
        observe('commit');
        return result;
      } catch (error) {
        await settle(em, 'rollback').catch(() => undefined); // the connection may be what failed
        observe('rollback');
        throw error;
      }
    },
  );
}
