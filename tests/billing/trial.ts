import pg from 'pg';
import { PERMISSIONS, packPermissions, permissionsOf } from '../../schema/permissions.ts';
import { anonymousEnvelope, Context } from '../../subgraphs/_kernel/context.ts';
import { roleUrl } from '../../subgraphs/_kernel/db.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createMint, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { openWorld } from '../setup/world.ts';

/** Somebody who asks: by default with every permission, and of a tenant whose licence leaves the core open. */
export interface Caller {
  tenant: SeedTenant;
  roles?: readonly string[];
  customerId?: string;
  core?: 'FULL' | 'READ';
}

/** The example world as the tests of billing and network ask it, door by door and beneath the doors. */
export async function openTrial() {
  const world = await openWorld();
  const mint = createMint(world.config.ENVELOPE_PRIVATE_KEY);
  const tenantId = (tenant: SeedTenant) => seedId(SEED_TENANTS[tenant]);
  const envelopeOf = ({ tenant, roles, customerId, core = 'FULL' }: Caller): Envelope => ({
    ...anonymousEnvelope(),
    caller: { kind: 'USER', id: seedId('6001') },
    tenantId: tenantId(tenant),
    customerId,
    core,
    permissions: packPermissions(roles ? permissionsOf(roles) : PERMISSIONS),
  });
  const signed = (subgraph: string, caller: Caller, query: string, variables: Record<string, unknown>) => {
    const body = JSON.stringify({ query, variables });
    return [body, mint(envelopeOf(caller), subgraph, body)] as const;
  };
  return {
    tenantId,
    context: (subgraph: string, caller: Caller) => new Context(envelopeOf(caller), world.subgraph(subgraph).machinery),
    system: (subgraph: string, tenant: SeedTenant) => world.system(tenant, subgraph),
    /** Asks a subgraph as the gateway does. */
    ask: (subgraph: string, caller: Caller, query: string, variables: Record<string, unknown> = {}) =>
      world.subgraph(subgraph).execute(...signed(subgraph, caller, query, variables)),
    subscribe: (subgraph: string, caller: Caller, query: string, variables: Record<string, unknown> = {}) =>
      world.subgraph(subgraph).subscribe(...signed(subgraph, caller, query, variables)),
    /** What is sent to the database for a subgraph's tables while `run` runs. */
    async statementsOf(subgraph: string, run: () => Promise<unknown>): Promise<string[]> {
      const queries: string[] = [];
      const logger = world.subgraph(subgraph).machinery.db.orm.config.getLogger();
      const { logQuery } = logger;
      logger.logQuery = ({ query }) => void queries.push(String(query));
      await run().finally(() => {
        logger.logQuery = logQuery;
      });
      return queries.filter((query) => new RegExp(`\\b${subgraph}"?\\.`).test(query));
    },
    /** Runs a statement as the superuser, around every wall. */
    sql: (text: string, values: unknown[] = []) =>
      withClient(world.databaseUrl, async (client) => (await client.query(text, values)).rows),
    /** Runs a statement with the rights of a service, inside a tenant. */
    asService: (subgraph: string, tenant: SeedTenant, text: string) =>
      withClient(roleUrl(world.config, `svc_${subgraph}`), async (client) => {
        await client.query('begin');
        await client.query("select set_config('app.tenant_id', $1, true)", [tenantId(tenant)]);
        const { rows } = await client.query(text);
        await client.query('commit');
        return rows;
      }),
    close: () => world.close(),
  };
}

export type Trial = Awaited<ReturnType<typeof openTrial>>;

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
