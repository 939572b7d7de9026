import { createHmac } from 'node:crypto';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { type EntityClass, type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';
import type { Config } from './config.ts';
import { inSpan, isTracing, type Logger } from './telemetry.ts';

export type { EntityManager } from '@mikro-orm/postgresql';

/** The tenant of the platform itself, whose customers are the ISPs. */
export const PLATFORM_TENANT = '01990000-0000-7000-8000-000000000001';

/** A database role's password, derived so that none has to be stored. */
export const rolePassword = (config: Pick<Config, 'DATABASE_ROLE_SECRET'>, role: string) =>
  createHmac('sha256', Buffer.from(config.DATABASE_ROLE_SECRET, 'base64url')).update(role).digest('base64url');

/** The connection URL of one of our roles at the configured database. */
export function roleUrl(config: Pick<Config, 'DATABASE_ROLE_SECRET' | 'DATABASE_URL'>, role: string): string {
  const url = new URL(String(config.DATABASE_URL));
  url.username = role;
  url.password = rolePassword(config, role);
  return url.href;
}

/** How long a request waits for a connection before it is answered OVERLOADED, milliseconds. */
const POOL_WAIT_MS = 500;

export interface Db {
  /** A fresh EntityManager; one per operation. */
  fork(): EntityManager;
  orm: MikroORM;
  close(): Promise<void>;
}

/**
 * A connection that dies in the middle of a transaction is never given back: Kysely releases it after a rollback, and
 * that fails on it. Without this every restart of PostgreSQL would shrink the pool, until nothing is left of it.
 */
function giveBackTheDead(pool: Pool): void {
  const taken = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => void taken.add(client));
  pool.on('release', (_error, client) => void taken.delete(client));
  // Whoever holds it is told first, and gives it back itself where no transaction is open.
  pool.on('connect', (client) =>
    client.once('end', () => setImmediate(() => taken.has(client) && client.release(true))),
  );
}

/** Gives each statement a span of its own while a trace is being recorded: its text, never its values. */
function traceStatements(client: PoolClient): void {
  const query = client.query as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    if (!isTracing()) return query.apply(client, args);
    const [asked] = args as [string | { text?: string }];
    const text = typeof asked === 'string' ? asked : asked.text;
    const answer = query.apply(client, args);
    if (!(answer instanceof Promise)) return answer;
    return inSpan(
      'sql',
      { kind: SpanKind.CLIENT, attributes: { 'db.system': 'postgresql', 'db.query.text': text } },
      () => answer,
    );
  }) as typeof client.query;
}

function prepare(pool: Pool): void {
  giveBackTheDead(pool);
  pool.on('connect', traceStatements);
}

/** Connects as a role. Refuses to run with one that could step over the wall between tenants, or become one that could. */
export async function connect(config: Config, role: string, entities: EntityClass<object>[], log: Logger): Promise<Db> {
  const orm = await MikroORM.init({
    clientUrl: roleUrl(config, role),
    entities,
    metadataProvider: ReflectMetadataProvider,
    metadataCache: { enabled: false },
    discovery: { warnWhenNoEntities: false },
    forceUndefined: false,
    ensureDatabase: false,
    pool: { min: 0, max: config.DATABASE_POOL },
    driverOptions: { connectionTimeoutMillis: POOL_WAIT_MS, application_name: role, onPoolCreated: prepare },
    logger: (message) => log.warn(message),
    debug: false,
    colors: false,
  });
  const [row] = await patiently(() =>
    orm.em.fork().execute(
      `select bool_or(rolsuper or rolbypassrls or rolcreaterole or rolname = 'dotmac_owner') as is_strong
       from pg_roles where pg_has_role(current_user, oid, 'member')`,
    ),
  );
  if (row?.is_strong !== false) {
    await orm.close();
    throw new Error(
      `The database role ${role} is a superuser, an owner or bypasses row-level security. A service never runs so.`,
    );
  }
  return { fork: () => orm.em.fork({ useContext: false }), orm, close: () => orm.close(true) };
}

/** How long a start waits for a database that does not answer yet, milliseconds. */
const START_MS = 10_000;

/** A wrong password or no such database: waiting helps neither. */
const isFinal = (error: unknown) => /^(28|3D)/.test(String((error as { code?: string }).code));

/** Tries again while a database is still starting; the last failure is the one that counts. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  const until = Date.now() + START_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (Date.now() > until || isFinal(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** What MikroORM keeps of a transaction: Kysely's own, with the queue of its statements. */
interface Begun {
  executeQuery(...asked: unknown[]): Promise<unknown>;
  commit(): { execute(): Promise<void> };
  rollback(): { execute(): Promise<void> };
  getExecutor(): { provideConnection(run: () => Promise<never>): Promise<never> };
}
const begunOf = (em: EntityManager) => em.getTransactionContext() as unknown as Begun;

/** A transaction that is not over: how to turn away who asks it too late, and the first statement that failed in it. */
const open = new WeakMap<Begun, { turnAway: () => void; failure?: unknown }>();

/** Begins a transaction that `settle` ends. */
export async function begin(em: EntityManager, isReadOnly: boolean): Promise<void> {
  await em.begin({ readOnly: isReadOnly });
  const begun = begunOf(em);
  const executeQuery = begun.executeQuery.bind(begun);
  const { promise: isOver, reject } = Promise.withResolvers<never>();
  isOver.catch(() => undefined);
  const held: { turnAway: () => void; failure?: unknown } = {
    turnAway: () => reject(new Error('This transaction is over.')),
  };
  begun.executeQuery = (...asked) =>
    Promise.race([executeQuery(...asked), isOver]).catch((error: unknown) => {
      held.failure ??= error;
      throw error;
    });
  open.set(begun, held);
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

/** One transaction from begin to commit or rollback, with its span. `enter` runs first in it, `finish` last. */
export async function transact<T>(
  em: EntityManager,
  options: { isReadOnly: boolean; name: string },
  enter: (em: EntityManager) => Promise<void>,
  run: (em: EntityManager) => Promise<T>,
  finish: (em: EntityManager) => Promise<void>,
): Promise<T> {
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
        return result;
      } catch (error) {
        await settle(em, 'rollback').catch(() => undefined); // the connection may be what failed
        throw error;
      }
    },
  );
}
