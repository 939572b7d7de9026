import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Feature } from '../../schema/features.ts';
import { PERMISSIONS, packPermissions, permissionsOf } from '../../schema/permissions.ts';
import { readConfig } from '../../subgraphs/_kernel/config.ts';
import { anonymousEnvelope, Context, type Machinery, systemContext } from '../../subgraphs/_kernel/context.ts';
import { connect, type Db, roleUrl } from '../../subgraphs/_kernel/db.ts';
import { devSecrets } from '../../subgraphs/_kernel/dev-secrets.ts';
import { listen } from '../../subgraphs/_kernel/fan-out.ts';
import { reactionsOf } from '../../subgraphs/_kernel/jobs.ts';
import { migrate, writeReactions } from '../../subgraphs/_kernel/migrations.ts';
import { SEED_TENANTS, type SeedTenant, seedId, seedWorld } from '../../subgraphs/_kernel/seed-world.ts';
import { createMint, createVerifier, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import {
  defineSubgraph,
  type GraphResult,
  type RunningSubgraph,
  runSubgraph,
} from '../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { billing } from '../../subgraphs/billing/index.ts';
import { network } from '../../subgraphs/network/index.ts';
import { tenancy } from '../../subgraphs/tenancy/index.ts';

const DEFINITIONS = [tenancy, billing, network];
/** What licensing's seed allows; null is no end. */
const DEVICES: Partial<Record<SeedTenant, number | null>> = {
  kestrel: 25,
  northwind: 250,
  harbour: 250,
  atlas: null,
  fable: 250,
};

export interface Caller {
  tenant: SeedTenant;
  roles?: readonly string[];
  permissions?: readonly string[];
  customerId?: string;
  core?: 'FULL' | 'READ';
}

/** A database of its own with tenancy, billing and network migrated and seeded, and ways to ask them. */
export async function openTrial() {
  const server = new URL(String(process.env.TEST_DATABASE_URL));
  const secrets = devSecrets(join(tmpdir(), 'dotmac-trial'));
  const name = `trial_${randomUUID().replaceAll('-', '')}`;
  await withClient(server.href, (client) => client.query(`create database ${name}`));
  server.pathname = `/${name}`;
  const config = readConfig({ NODE_ENV: 'test', DATABASE_URL: server.href, LOG_LEVEL: 'error' }, secrets);
  const log = createLog(config, 'trial');
  await migrate(
    config,
    ['kernel', ...DEFINITIONS.map((definition) => definition.name)].map((source) => ({
      name: source,
      dir: new URL(`../../subgraphs/${source === 'kernel' ? '_kernel' : source}/migrations/`, import.meta.url),
    })),
  );
  await writeReactions(config, DEFINITIONS.flatMap(reactionsOf));
  const fanOut = listen(roleUrl(config, 'dotmac_fan_out'), log);
  const verify = createVerifier(config.ENVELOPE_PUBLIC_KEYS);
  const mint = createMint(config.ENVELOPE_PRIVATE_KEY);
  const pools: Db[] = [];
  const running = new Map<string, RunningSubgraph>();
  const timings: Record<string, number> = {};
  for (const definition of DEFINITIONS) {
    const db = await connect(config, `svc_${definition.name}`, definition.entities, log);
    pools.push(db);
    const platformDb = definition.isControlPlane
      ? await connect(config, 'dotmac_platform', definition.entities, log)
      : undefined;
    if (platformDb) pools.push(platformDb);
    const machinery: Machinery = { name: definition.name, db, platformDb, fanOut, log, config };
    running.set(definition.name, runSubgraph(await defineSubgraph(definition), machinery, verify));
    const begun = performance.now();
    await definition.seed?.(seedWorld(machinery, 'not used here'));
    timings[definition.name] = performance.now() - begun;
    if (definition.name === 'tenancy') await allowDevices(server.href);
  }
  const sub = (subgraph: string) => running.get(subgraph) as RunningSubgraph;
  const envelopeOf = ({ tenant, roles, permissions, customerId, core = 'FULL' }: Caller): Envelope => ({
    ...anonymousEnvelope(),
    caller: { kind: 'USER', id: seedId('6001') },
    tenantId: seedId(SEED_TENANTS[tenant]),
    customerId,
    core,
    permissions: packPermissions(permissions ?? (roles ? permissionsOf(roles) : PERMISSIONS)),
    features: {} as Partial<Record<Feature, never>>,
  });
  return {
    timings,
    sub,
    config,
    tenantId: (tenant: SeedTenant) => seedId(SEED_TENANTS[tenant]),
    machinery: (subgraph: string) => sub(subgraph).machinery,
    context: (subgraph: string, caller: Caller) => new Context(envelopeOf(caller), sub(subgraph).machinery),
    system: (subgraph: string, tenant: SeedTenant) =>
      systemContext(sub(subgraph).machinery, seedId(SEED_TENANTS[tenant])),
    /** Asks a subgraph as the gateway does. */
    ask(
      subgraph: string,
      caller: Caller,
      query: string,
      variables: Record<string, unknown> = {},
    ): Promise<GraphResult> {
      const body = JSON.stringify({ query, variables });
      return sub(subgraph).execute(body, mint(envelopeOf(caller), subgraph, body));
    },
    subscribe(subgraph: string, caller: Caller, query: string, variables: Record<string, unknown> = {}) {
      const body = JSON.stringify({ query, variables });
      return sub(subgraph).subscribe(body, mint(envelopeOf(caller), subgraph, body));
    },
    /** What is sent to the database for a subgraph's tables while `run` runs. */
    async statementsOf(subgraph: string, run: () => Promise<unknown>): Promise<string[]> {
      const queries: string[] = [];
      const logger = sub(subgraph).machinery.db.orm.config.getLogger();
      const { logQuery } = logger;
      logger.logQuery = ({ query }) => void queries.push(String(query));
      await run().finally(() => {
        logger.logQuery = logQuery;
      });
      return queries.filter((query) => new RegExp(`\\b${subgraph}"?\\.`).test(query));
    },
    /** Runs a statement as the superuser, around every wall. */
    sql: (text: string, values: unknown[] = []) =>
      withClient(server.href, async (c) => (await c.query(text, values)).rows),
    /** Runs a statement with the rights of a service, inside a tenant. */
    asService: (subgraph: string, tenant: SeedTenant, text: string) =>
      withClient(roleUrl(config, `svc_${subgraph}`), async (c) => {
        await c.query('begin');
        await c.query("select set_config('app.tenant_id', $1, true)", [seedId(SEED_TENANTS[tenant])]);
        const { rows } = await c.query(text);
        await c.query('commit');
        return rows;
      }),
    async close() {
      await fanOut.close();
      await Promise.all(pools.map((db) => db.close()));
      server.pathname = '/postgres';
      await withClient(server.href, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

export type Trial = Awaited<ReturnType<typeof openTrial>>;

async function allowDevices(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const [slug, limit] of Object.entries(DEVICES))
      await client.query(
        `insert into kernel.quota (tenant_id, key, kind, "limit", policy, anchor_day, zone) values ($1, 'devices', 'GAUGE', $2, 'HARD', 1, 'UTC')`,
        [seedId(SEED_TENANTS[slug as SeedTenant]), limit],
      );
  });
}

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
