import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import type { Config } from './config.ts';
import { rolePassword, roleUrl } from './db.ts';

/** Where one subgraph's SQL lies. */
export interface MigrationSource {
  name: string;
  dir: URL;
  /** Schemas it owns beside the one of its name. */
  schemas?: string[];
  /** Its rows live at the home of their tenant and move with it. */
  isAtHome?: boolean;
}

/** One run of migrations at a time, over all processes. */
const LOCK = 7_190_000_001;

const ident = (name: string) => pg.escapeIdentifier(name);

/** The roles of security section 1, made once per cluster. Names and passwords are the same for every database in it. */
function roleStatements(config: Config, subgraphs: readonly string[], atHome: readonly string[]): string[] {
  const login = (role: string, options = '') => [
    `do $$ begin create role ${ident(role)} login; exception when duplicate_object then null; end $$`,
    `alter role ${ident(role)} login ${options} password ${pg.escapeLiteral(rolePassword(config, role))}`,
  ];
  const group = (role: string) => [
    `do $$ begin create role ${ident(role)} nologin; exception when duplicate_object then null; end $$`,
  ];
  const patience = (role: string) => [
    `alter role ${ident(role)} set statement_timeout = '3s'`,
    `alter role ${ident(role)} set lock_timeout = '1s'`,
    `alter role ${ident(role)} set idle_in_transaction_session_timeout = '5s'`,
  ];
  return [
    ...group('dotmac_owner'),
    ...group('dotmac_tenant_rw'),
    ...group('dotmac_kernel'),
    ...group('dotmac_at_home'),
    ...group('dotmac_purge'),
    ...login('dotmac_migrator', 'noinherit'),
    ...login('dotmac_jobs'),
    ...login('dotmac_platform'),
    ...login('dotmac_fan_out'),
    ...patience('dotmac_platform'),
    ...login('dotmac_relay'),
    ...patience('dotmac_relay'),
    'grant dotmac_tenant_rw to dotmac_relay with set false',
    ...login('dotmac_reports'),
    'alter role dotmac_reports set search_path = reports',
    'alter role dotmac_reports set default_transaction_read_only = on',
    "alter role dotmac_reports set statement_timeout = '60s'",
    'grant dotmac_tenant_rw to dotmac_kernel',
    'grant dotmac_tenant_rw to dotmac_purge',
    'grant dotmac_purge to dotmac_owner with inherit false',
    // Not inherited: the wall, which binds the kernel as it binds a service, must not bind a migration.
    'grant dotmac_kernel to dotmac_owner with inherit false',
    'grant dotmac_jobs to dotmac_owner',
    'grant dotmac_owner to dotmac_migrator',
    ...subgraphs.flatMap((name) => [
      ...login(`svc_${name}`),
      ...patience(`svc_${name}`),
      `grant dotmac_tenant_rw to ${ident(`svc_${name}`)} with set false`,
    ]),
    ...atHome.map((name) => `grant dotmac_at_home to ${ident(`svc_${name}`)} with set false`),
    // Who copies a tenant to another home fires no triggers there. Where the login may not grant it, nobody moves.
    `do $$ begin grant set on parameter session_replication_role to dotmac_owner; exception when insufficient_privilege then null; end $$`,
  ];
}

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'dotmac_migrate' });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/**
 * Brings a database up to this version: roles, then the jobs' schema, then every migration that is not in
 * `kernel.migration`, each in a transaction of its own, as the owner. Forward only; running it again changes nothing.
 * Throws a sentence if a migration that ran has been edited since, or the server is older than PostgreSQL 18.
 */
export async function migrate(config: Config, sources: readonly MigrationSource[]): Promise<{ applied: string[] }> {
  const names = sources.map((source) => source.name).filter((name) => name !== 'kernel');
  const atHome = sources.filter(({ isAtHome }) => isAtHome);
  await withClient(String(config.DATABASE_URL), async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [LOCK]);
    const { rows } = await admin.query('show server_version_num');
    if (Number(rows[0].server_version_num) < 180_000) throw new Error('PostgreSQL 18 or newer is needed.');
    await makeRoles(
      config,
      names,
      atHome.map(({ name }) => name),
    );
    const { rows: db } = await admin.query('select current_database() as name');
    await admin.query(`grant connect, create on database ${ident(db[0].name)} to dotmac_owner, dotmac_jobs`);
    await admin.query(`revoke temporary on database ${ident(db[0].name)} from public`); // a temporary type could stand in for one of ours
    await admin.query(`revoke all on schema public from public`);
  });
  const jobs = new pg.Pool({ connectionString: roleUrl(config, 'dotmac_jobs'), max: 1 });
  jobs.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined)); // the query itself fails
  await runMigrations({ pgPool: jobs }).finally(() => jobs.end());
  return withClient(roleUrl(config, 'dotmac_migrator'), async (client) => {
    await client.query('set role dotmac_owner');
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(`create schema if not exists kernel;
      create table if not exists kernel.migration (source text, name text, sha256 text not null, at timestamptz not null default now(), primary key (source, name))`);
    const { rows } = await client.query('select source, name, sha256 from kernel.migration');
    const done = new Map(rows.map((row) => [`${row.source}/${row.name}`, row.sha256]));
    const applied: string[] = [];
    for (const source of sources) {
      for (const file of readdirSync(source.dir)
        .filter((entry) => entry.endsWith('.sql'))
        .sort()) {
        const sql = readFileSync(new URL(file, source.dir), 'utf8');
        const sha256 = createHash('sha256').update(sql).digest('hex');
        const known = done.get(`${source.name}/${file}`);
        if (known === sha256) continue;
        if (known) throw new Error(`Migration ${source.name}/${file} has run and was edited since. Write a new one.`);
        await apply(client, source, file, sql, sha256);
        applied.push(`${source.name}/${file}`);
      }
    }
    await client.query('call kernel.make_movable($1)', [
      atHome.flatMap(({ name, schemas = [] }) => [name, ...schemas]),
    ]);
    return { applied };
  });
}

/** Roles belong to the cluster: databases migrated side by side make them one after the other. */
async function makeRoles(config: Config, subgraphs: readonly string[], atHome: readonly string[]): Promise<void> {
  const url = new URL(String(config.DATABASE_URL));
  url.pathname = '/postgres';
  await withClient(url.href, async (cluster) => {
    await cluster.query('select pg_advisory_lock($1)', [LOCK]);
    for (const statement of roleStatements(config, subgraphs, atHome)) await cluster.query(statement);
  });
}

async function apply(
  client: pg.Client,
  source: MigrationSource,
  file: string,
  sql: string,
  sha256: string,
): Promise<void> {
  await client.query('begin');
  try {
    await client.query("select set_config('app.migration', 'on', true), set_config('app.residence', 'HERE', true)");
    if (source.name !== 'kernel')
      for (const schema of [source.name, ...(source.schemas ?? [])])
        await openSchema(client, schema, `svc_${source.name}`);
    await client.query(sql);
    await client.query('insert into kernel.migration (source, name, sha256) values ($1, $2, $3)', [
      source.name,
      file,
      sha256,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`Migration ${source.name}/${file} failed: ${(error as Error).message}`, { cause: error });
  }
}

async function openSchema(client: pg.Client, schema: string, role: string): Promise<void> {
  const [s, r] = [ident(schema), ident(role)];
  await client.query(`create schema if not exists ${s};
    grant usage on schema ${s} to ${r}, dotmac_kernel, dotmac_purge;
    alter default privileges in schema ${s} grant select, insert, update, delete on tables to ${r};
    alter default privileges in schema ${s} grant usage on sequences to ${r}`);
}

/** Which job hears which event, as `kernel.reaction` has it. */
export interface Reaction {
  event: string;
  task: string;
  is_platform_only: boolean;
  is_while_suspended: boolean;
  is_urgent: boolean;
}

/** Writes down which job hears which event, so that whoever emits needs to know no hearer. */
export async function writeReactions(config: Config, reactions: readonly Reaction[]): Promise<void> {
  await withClient(roleUrl(config, 'dotmac_migrator'), async (client) => {
    await client.query('set role dotmac_owner');
    await client.query(
      `with wanted as (select * from jsonb_to_recordset($1::jsonb) as r(event text, task text, is_platform_only boolean, is_while_suspended boolean, is_urgent boolean)),
            gone as (delete from kernel.reaction k where not exists (select from wanted w where w.event = k.event_name and w.task = k.task))
       insert into kernel.reaction (event_name, task, is_platform_only, is_while_suspended, is_urgent) select * from wanted
         on conflict (event_name, task) do update set is_platform_only = excluded.is_platform_only,
           is_while_suspended = excluded.is_while_suspended, is_urgent = excluded.is_urgent`,
      [JSON.stringify(reactions)],
    );
  });
}
