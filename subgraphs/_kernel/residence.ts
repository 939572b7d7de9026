import type pg from 'pg';
import type { Config } from './config.ts';
import { withOwner } from './home-databases.ts';
import { deleteAll, movableTables } from './home-tables.ts';
import { type Home, isGone } from './homes.ts';

/** Writers that entered before are waited for this long, milliseconds; they end within their statements' time. */
const WRITERS_MS = 8_000;

/** Says what a tenant is in a database, once everybody who writes in it there is done. */
export function reside(client: pg.Client, tenantId: string, state: string, pauseMs?: number): Promise<void> {
  return alone(client, tenantId, async () => {
    await client.query(
      `insert into kernel.residence (tenant_id, state, until)
       values ($1, $2, clock_timestamp() + make_interval(secs => $3::double precision / 1000))
       on conflict (tenant_id) do update set state = excluded.state, until = excluded.until, since = now()`,
      [tenantId, state, pauseMs ?? null],
    );
  });
}

/** Runs statements when everybody who writes in the tenant is done, and before the next one does. */
export async function alone<T>(client: pg.Client, tenantId: string, run: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${WRITERS_MS}`);
    await client.query('select pg_advisory_xact_lock(7190015, hashtext($1))', [tenantId]);
    const result = await run();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Lets a new tenant live at a home of its own, which is empty. */
export const settleIn = (config: Config, home: Home, tenantId: string): Promise<void> =>
  withOwner(config, home, (client) => reside(client, tenantId, 'HERE'));

/** Throws unless a home of its own knows one tenant, and lets that one live in it. */
export function checkAlone(config: Config, home: Home, tenantId: string): Promise<void> {
  return withOwner(config, home, async (client) => {
    const { rows } = await client.query(
      `select array(select tenant_id::text from kernel.tenant_profile union select tenant_id::text from kernel.residence) as known,
              exists (select from kernel.residence where tenant_id = $1 and state = 'HERE') as is_home`,
      [tenantId],
    );
    const [{ known, is_home }] = rows;
    if (!is_home || known.length !== 1) throw new Error('The new tenant is not alone in its database.');
  });
}

/** How many rows of a tenant lie at a home of its own, by table; no table has any where the home is gone. */
export async function rowsAt(config: Config, home: Home, tenantId: string): Promise<Record<string, number>> {
  try {
    return await withOwner(config, home, (client) => countRows(client, tenantId));
  } catch (error) {
    if (isGone(error)) return {};
    throw error;
  }
}

async function countRows(client: pg.Client, tenantId: string): Promise<Record<string, number>> {
  await client.query("select set_config('app.tenant_id', $1, false)", [tenantId]);
  const { rows: tables } = await client.query('select table_name, rows_of_tenant from kernel.tables_of_tenant()');
  const counts: Record<string, number> = {};
  for (const { table_name, rows_of_tenant } of tables) {
    const { rows } = await client.query(`select count(*)::int as n from ${table_name} where ${rows_of_tenant}`);
    if (rows[0].n > 0) counts[table_name] = rows[0].n;
  }
  return counts;
}

/** Deletes what is left of a tenant at a home it does not live in. Returns how many rows that were; none where it does. */
export function clearAway(config: Config, home: Home, tenantId: string): Promise<number> {
  return withOwner(config, home, async (client) => {
    await client.query("select set_config('app.tenant_id', $1, false)", [tenantId]);
    const { rowCount } = await client.query(
      "update kernel.residence set state = 'MOVED' where tenant_id = $1 and state in ('ARRIVING', 'MOVED')",
      [tenantId],
    );
    if (rowCount === 0) return 0;
    await client.query('set session_replication_role = replica');
    let deleted = 0;
    for (const table of await movableTables(client))
      if (!table.isShared) deleted += await deleteAll(client, table, tenantId);
    return deleted;
  });
}
