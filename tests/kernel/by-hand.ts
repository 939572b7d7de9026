import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Context, systemContext } from '../../subgraphs/_kernel/context.ts';
import { roleUrl } from '../../subgraphs/_kernel/db.ts';
import type { World } from '../setup/world.ts';

/** A connection of the test's own, past everything the product does; ended when `run` is over. */
export async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'dotmac_test' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** A connection as one of the product's roles, as an intruder with its password would have it. */
export const asRole = <T>(world: World, role: string, run: (client: pg.Client) => Promise<T>): Promise<T> =>
  withClient(roleUrl(world.config, role), run);

/** One statement as the superuser, whom no policy binds. */
export const asSuperuser = (world: World, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  withClient(world.databaseUrl, async (client) => (await client.query(sql, values)).rows);

/** What a migration does: as the owner, in a transaction in which the owner may write to tenants' tables. */
export const migrateByHand = (world: World, sql: string): Promise<void> =>
  asRole(world, 'dotmac_migrator', async (client) => {
    await client.query('set role dotmac_owner');
    await client.query(`begin; select set_config('app.migration', 'on', true); ${sql}; commit`);
  });

/** Enters a tenant as the product does, in a transaction the caller has begun. */
export const enterTenant = (client: pg.Client, tenantId: string, more: Record<string, string> = {}) =>
  client.query('select kernel.enter($1)', [JSON.stringify({ 'app.tenant_id': tenantId, ...more })]);

/** Background work in a tenant nobody has ever heard of. */
export const inNewTenant = (world: World, tenantId: string = randomUUID()): Promise<Context> =>
  systemContext(world.subgraph('tenancy').machinery, tenantId);

/** Rejects with what was awaited when it does not come true in time. */
export async function until(what: string, isTrue: () => Promise<boolean> | boolean, timeoutMs = 5_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await isTrue()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`It did not happen within ${timeoutMs} ms: ${what}.`);
  }
}

/** The code of the error a promise rejects with: ours, or PostgreSQL's. */
export const codeOf = (refused: Promise<unknown>): Promise<string> =>
  refused.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  );
