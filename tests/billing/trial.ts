import { PERMISSIONS, packPermissions, permissionsOf } from '../../schema/permissions.ts';
import { Context } from '../../subgraphs/_kernel/context.ts';
import { roleUrl } from '../../subgraphs/_kernel/db.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { anonymousEnvelope } from '../../subgraphs/_kernel/signed-context.ts';
import { withClient } from '../setup/database.ts';
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
  const tenantId = (tenant: SeedTenant) => seedId(SEED_TENANTS[tenant]);
  const envelopeOf = ({ tenant, roles, customerId, core = 'FULL' }: Caller): Envelope => ({
    ...anonymousEnvelope(),
    caller: { kind: 'USER', id: seedId('6001') },
    tenantId: tenantId(tenant),
    customerId,
    core,
    permissions: packPermissions(roles ? permissionsOf(roles) : PERMISSIONS),
  });
  const signed = (subgraph: string, caller: Caller, query: string, variables: Record<string, unknown>) =>
    world.signed(envelopeOf(caller), subgraph, query, variables);
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
      const queries = await world.statementsOf(subgraph, run);
      return queries.filter((query) => new RegExp(`\\b${subgraph}"?\\.`).test(query));
    },
    /** Runs a statement as the superuser, around every wall. */
    sql: world.sql,
    /** Runs a statement with the rights of a service, inside a tenant. */
    asService: (subgraph: string, tenant: SeedTenant, text: string) =>
      withClient(roleUrl(world.config, `svc_${subgraph}`), async (client) => {
        await client.query('begin');
        await client.query("select set_config('app.tenant_id', $1, true)", [tenantId(tenant)]);
        const { rows } = await client.query(text);
        await client.query('commit');
        return rows;
      }),
    untilNoJobs: () => world.untilNoJobs(),
    close: () => world.close(),
  };
}

export type Trial = Awaited<ReturnType<typeof openTrial>>;
