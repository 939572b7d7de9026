import { createHmac } from 'node:crypto';
import { ReflectMetadataProvider } from '@mikro-orm/decorators/legacy';
import { type EntityClass, type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';
import type { Config } from './config.ts';
import { statementSeconds, watchPool } from './metrics.ts';
import { inSpan, isTracing, type Logger } from './telemetry.ts';
import { guard, unbar } from './transaction.ts';

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

/**
 * Times each statement, and gives it a span of its own while a trace is being recorded: its text, never its values.
 */
function observeStatements(client: PoolClient, timer: { observe(seconds: number): void }): void {
  const query = client.query as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    const startedAt = performance.now();
    const answer = query.apply(client, args);
    if (!(answer instanceof Promise)) return answer;
    const done = () => timer.observe((performance.now() - startedAt) / 1_000);
    answer.then(done, done);
    if (!isTracing()) return answer;
    const [asked] = args as [string | { text?: string }];
    const text = typeof asked === 'string' ? asked : asked.text;
    return inSpan(
      'sql',
      { kind: SpanKind.CLIENT, attributes: { 'db.system': 'postgresql', 'db.query.text': text } },
      () => answer,
    );
  }) as typeof client.query;
}

/**
 * A connection that is made while its pool closes reaches nobody: Kysely drops it, and the pool would wait for it for ever.
 */
function endLatecomers(pool: Pool, isClosing: () => boolean): void {
  pool.on('acquire', (client) => isClosing() && void client.end().catch(() => undefined));
}

function prepare(pool: Pool, role: string, isClosing: () => boolean): void {
  giveBackTheDead(pool);
  endLatecomers(pool, isClosing);
  watchPool(role, pool);
  pool.on('connect', guard);
  pool.on('release', (_error, client) => unbar(client));
  const timer = statementSeconds.labels(role);
  pool.on('connect', (client) => observeStatements(client, timer));
}

/**
 * How long a connection nobody uses is kept, milliseconds: a new one answers ten times slower at first, so that what a busy
 * moment needed should still be there at the next.
 */
const IDLE_MS = 300_000;

/**
 * Connects as a role. Refuses to run with one that could step over the wall between tenants, or become one that could.
 * @param idleMs how long a connection nobody uses is kept, milliseconds.
 */
export async function connect(
  config: Config,
  role: string,
  entities: EntityClass<object>[],
  log: Logger,
  idleMs = IDLE_MS,
): Promise<Db> {
  let isClosing = false;
  const orm = await MikroORM.init({
    clientUrl: roleUrl(config, role),
    entities,
    metadataProvider: ReflectMetadataProvider,
    metadataCache: { enabled: false },
    discovery: { warnWhenNoEntities: false },
    forceUndefined: false,
    ensureDatabase: false,
    pool: { min: 0, max: config.DATABASE_POOL },
    driverOptions: {
      connectionTimeoutMillis: config.DATABASE_WAIT_MS,
      idleTimeoutMillis: idleMs,
      application_name: role,
      onPoolCreated: (pool: Pool) => prepare(pool, role, () => isClosing),
    },
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
  const close = () => {
    isClosing = true;
    return orm.close(true);
  };
  return { fork: () => orm.em.fork({ useContext: false }), orm, close };
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
