import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Config } from './config.ts';
import { roleUrl } from './db.ts';
import { CONTROL, configAt, type Home, homeUrl } from './homes.ts';

/** Brings a database up to this version of every subgraph. */
export type Migrate = (config: Config) => Promise<unknown>;

const DUPLICATE_DATABASE = '42P04';
/** Jobs that run at a home are waited for so long before it is dropped, milliseconds. */
const JOBS_MS = 2_000;
const LOOK_MS = 20;

function withAdmin(config: Config, home: Home, run: (client: pg.Client, name: string) => Promise<unknown>) {
  if (home === CONTROL) throw new Error('The database of the control plane is neither made nor dropped.');
  const name = new URL(homeUrl(config, home)).pathname.slice(1);
  return atServer(homeUrl(config, home), (client) => run(client, name));
}

/** Runs statements as the login of a URL, in no database of ours. */
async function atServer<T>(databaseUrl: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const url = new URL(databaseUrl);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => undefined); // the query itself fails
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** Whether homes can be made beside the database of the control plane: its login may be one that makes no databases. */
export function mayCreateHomes(config: Config): Promise<boolean> {
  return atServer(String(config.DATABASE_URL), async (client) => {
    const { rows } = await client.query(
      'select rolsuper or rolcreatedb as may_create from pg_roles where rolname = current_user',
    );
    return rows[0].may_create;
  });
}

/** Makes the empty database of a home. One that is there already is left as it is. */
export async function createHome(config: Config, home: Home): Promise<void> {
  await withAdmin(config, home, async (client, name) => {
    await client.query(`create database ${pg.escapeIdentifier(name)}`).catch((error: { code?: string }) => {
      if (error.code !== DUPLICATE_DATABASE) throw error;
    });
  });
}

/** Gives a home the schemas, roles and policies of all others, and tells it its name. Running it again changes nothing. */
export async function migrateHome(config: Config, home: Home, migrate: Migrate): Promise<void> {
  await migrate(configAt(config, home));
  await withOwner(config, home, (client) =>
    client.query(
      'insert into kernel.home (name) values ($1) on conflict (is_only) do update set name = excluded.name',
      [home],
    ),
  );
}

/** The homes in which single tenants live. */
export function homesToMigrate(config: Config): Promise<Home[]> {
  return withOwner(config, CONTROL, async (client) => {
    const { rows } = await client.query("select distinct home from kernel.placement where home <> '' order by 1");
    return rows.map(({ home }) => home);
  });
}

/** Drops a home with everything in it, whoever is connected to it. One that is gone is no error. */
export async function dropHome(config: Config, home: Home): Promise<void> {
  await withAdmin(config, home, async (client, name) => {
    await untilNoJobsRun(client, name);
    await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  });
}

/** Jobs at a home that nobody lives in any more come to their end by themselves, if they are given a moment. */
async function untilNoJobsRun(client: pg.Client, name: string): Promise<void> {
  for (const end = Date.now() + JOBS_MS; Date.now() < end; await sleep(LOOK_MS)) {
    const { rows } = await client.query(
      "select from pg_stat_activity where datname = $1 and usename = 'dotmac_jobs' limit 1",
      [name],
    );
    if (rows.length === 0) return;
  }
}

/**
 * Runs what moves a tenant's rows, which is a migration of them: as the owner, whom policies let pass only then. Values
 * are written alike at all homes.
 */
export async function withOwner<T>(config: Config, home: Home, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: roleUrl(configAt(config, home), 'dotmac_migrator'),
    application_name: 'dotmac_move',
  });
  client.on('error', () => undefined); // the query itself fails
  await client.connect();
  try {
    await client.query(`set role dotmac_owner; set app.migration = 'on'; set app.residence = 'HERE'; set timezone = 'UTC';
      set datestyle = 'ISO'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1`);
    return await run(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
