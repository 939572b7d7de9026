import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packPermissions, permissionsOf } from '../../schema/permissions.ts';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { Context, systemContext } from '../../subgraphs/_kernel/context.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { anonymousEnvelope, createMint, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import type { GraphResult, RunningSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { type Serving, serve } from '../../subgraphs/serve.ts';
import { createTestDatabase, testConfig, untilNoJobs, withClient } from './database.ts';
import { mailsIn, type SentMail } from './mails.ts';

/** Somebody asking a subgraph directly, as the gateway would vouch for them. */
export interface Asker {
  tenant: SeedTenant;
  /** The last digits of their user id. */
  user?: string;
  roles?: string[];
  /** Features their licence opens; by default what the tenant's licence opens now. */
  customerId?: string;
}

/** The people of the example world who appear in tests. */
export const NGOZI: Asker = { tenant: 'platform', user: '6001', roles: ['platform_admin'] };
export const WREN: Asker = { tenant: 'kestrel', user: '6011', roles: ['tenant_admin'] };
export const ADA: Asker = { tenant: 'kestrel', user: '6012', roles: ['support_agent'] };
export const INGRID: Asker = { tenant: 'northwind', user: '6021', roles: ['tenant_admin'] };
export const SAMIRA: Asker = { tenant: 'northwind', user: '6026', roles: ['support_agent'] };
export const EDDA: Asker = { tenant: 'northwind', user: '6024', roles: ['auditor'] };
export const BRUNO: Asker = { tenant: 'atlas', user: '6071', roles: ['tenant_admin'] };

export interface World {
  config: Config;
  databaseUrl: string;
  serving: Serving;
  subgraph(name: string): RunningSubgraph;
  /** Asks one subgraph as somebody. */
  ask(who: Asker, subgraph: string, query: string, variables?: Record<string, unknown>): Promise<GraphResult>;
  /** The context of somebody in a subgraph; ended with the world. */
  context(who: Asker, subgraph: string): Promise<Context>;
  /** The context of background work in a tenant. */
  system(tenant: SeedTenant, subgraph: string): Promise<Context>;
  /** A request as the gateway sends it to a subgraph: its body, and the token that vouches for an envelope. */
  signed(
    envelope: Partial<Envelope>,
    subgraph: string,
    query: string,
    variables?: Record<string, unknown>,
  ): [body: string, token: string];
  /** Runs a statement as the superuser, around every wall. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  sql(text: string, values?: unknown[]): Promise<any[]>;
  /** What a subgraph sends to the database while `run` runs. */
  statementsOf(subgraph: string, run: () => Promise<unknown>): Promise<string[]>;
  untilNoJobs(): Promise<void>;
  /** The mails that have gone out, oldest first, once every job has run; to one address if one is named. */
  mails(to?: string): Promise<SentMail[]>;
  close(): Promise<void>;
}

/** Every subgraph over a database of its own, with the example world in it. Close it when the tests are done. */
export async function openWorld(env: Record<string, string> = {}): Promise<World> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'dotmac-world-'));
  const config = testConfig(database.url, { DATA_DIR: dataDir, ...env });
  const serving = await serve(config, createLog(config, 'test'));
  const mint = createMint(config.ENVELOPE_PRIVATE_KEY);
  const contexts: Context[] = [];
  const signed: World['signed'] = (envelope, name, query, variables = {}) => {
    const body = JSON.stringify({ query, variables });
    return [body, mint({ ...anonymousEnvelope(), ...envelope }, name, body)];
  };
  const subgraph = (name: string) => {
    const found = serving.subgraphs.find((running) => running.name === name);
    if (!found) throw new Error(`There is no subgraph ${name}.`);
    return found;
  };
  const system = async (tenant: SeedTenant, name: string) => {
    const ctx = await systemContext(subgraph(name).machinery, seedId(SEED_TENANTS[tenant]));
    contexts.push(ctx);
    return ctx;
  };
  const envelopeOf = async (who: Asker, name: string): Promise<Envelope> => {
    const { envelope } = await system(who.tenant, name);
    return {
      ...anonymousEnvelope(),
      caller: { kind: 'USER', id: who.user ? seedId(who.user) : randomUUID() },
      tenantId: seedId(SEED_TENANTS[who.tenant]),
      permissions: packPermissions(permissionsOf(who.roles ?? [])),
      features: envelope.features,
      core: envelope.core,
      ...(envelope.coreReason ? { coreReason: envelope.coreReason } : {}),
      licenseVersion: envelope.licenseVersion,
      ...(who.customerId ? { customerId: who.customerId } : {}),
    };
  };
  return {
    config,
    databaseUrl: database.url,
    serving,
    subgraph,
    system,
    async ask(who, name, query, variables) {
      return subgraph(name).execute(...signed(await envelopeOf(who, name), name, query, variables));
    },
    async context(who, name) {
      const ctx = new Context(await envelopeOf(who, name), subgraph(name).machinery);
      contexts.push(ctx);
      return ctx;
    },
    signed,
    sql: (text, values = []) => withClient(database.url, async (client) => (await client.query(text, values)).rows),
    async statementsOf(name, run) {
      const queries: string[] = [];
      const logger = subgraph(name).machinery.db.orm.config.getLogger();
      const { logQuery } = logger;
      logger.logQuery = ({ query }) => void queries.push(String(query));
      await run().finally(() => {
        logger.logQuery = logQuery;
      });
      return queries;
    },
    untilNoJobs: () => untilNoJobs(database.url),
    async mails(to) {
      await untilNoJobs(database.url);
      return (await mailsIn(config.DATA_DIR)).filter((mail) => to === undefined || mail.to === to);
    },
    async close() {
      for (const ctx of contexts) await ctx.end();
      await serving.stop();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
