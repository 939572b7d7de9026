import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { packPermissions } from '../../schema/permissions.ts';
import { type Config, readConfig } from '../../subgraphs/_kernel/config.ts';
import { anonymousEnvelope, type Machinery } from '../../subgraphs/_kernel/context.ts';
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
import { identity } from '../../subgraphs/identity/index.ts';
import { effectivePermissions } from '../../subgraphs/identity/membership.rules.ts';
import { PEOPLE } from '../../subgraphs/identity/seed.ts';
import { tenancy } from '../../subgraphs/tenancy/index.ts';

const DEFINITIONS = [tenancy, identity];
/** What licensing's seed allows; oldtown has no plan. */
const SEATS: Partial<Record<SeedTenant, number | null>> = {
  platform: null,
  kestrel: 3,
  northwind: 10,
  harbour: 10,
  sable: 10,
  atlas: null,
  fable: 10,
};

export const PASSWORD = 'a password of the trial';

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** A database of its own with tenancy and two replicas of identity, seeded, and ways to ask them as a gateway does. */
export async function openTrial(
  server = String(process.env.TEST_DATABASE_URL),
  secretsDir = join(tmpdir(), 'dotmac-trial'),
) {
  const url = new URL(server);
  const name = `trial_${randomUUID().replaceAll('-', '')}`;
  await withClient(url.href, (client) => client.query(`create database ${name}`));
  url.pathname = `/${name}`;
  const config: Config = readConfig(
    { NODE_ENV: 'test', DATABASE_URL: url.href, LOG_LEVEL: process.env.TEST_LOG ?? 'silent' },
    devSecrets(secretsDir),
  );
  const log = createLog(config, 'trial');
  await migrate(
    config,
    ['kernel', ...DEFINITIONS.map((definition) => definition.name)].map((source) => ({
      name: source,
      dir: new URL(`../../subgraphs/${source === 'kernel' ? '_kernel' : source}/migrations/`, import.meta.url),
    })),
  );
  await writeReactions(config, DEFINITIONS.flatMap(reactionsOf));
  const sql = (text: string, values: unknown[] = []) =>
    withClient(url.href, async (client) => (await client.query(text, values)).rows);
  const fanOut = listen(roleUrl(config, 'dotmac_fan_out'), log);
  const verify = createVerifier(config.ENVELOPE_PUBLIC_KEYS);
  const mint = createMint(config.ENVELOPE_PRIVATE_KEY);
  const pools: Db[] = [];
  const replicas: RunningSubgraph[] = [];
  for (const definition of DEFINITIONS) {
    const db = await connect(config, `svc_${definition.name}`, definition.entities, log);
    const platformDb = await connect(config, 'dotmac_platform', definition.entities, log);
    pools.push(db, platformDb);
    const machinery: Machinery = { name: definition.name, db, platformDb, fanOut, log, config };
    const subgraph = await defineSubgraph(definition);
    if (definition === identity)
      replicas.push(runSubgraph(subgraph, machinery, verify), runSubgraph(subgraph, { ...machinery }, verify));
    await definition.seed?.(seedWorld(machinery, PASSWORD));
    if (definition.name === 'tenancy')
      for (const [slug, limit] of Object.entries(SEATS))
        await sql(
          `insert into kernel.quota (tenant_id, key, kind, "limit", policy, anchor_day, zone) values ($1, 'staff_users', 'GAUGE', $2, 'HARD', 1, 'UTC')`,
          [seedId(SEED_TENANTS[slug as SeedTenant]), limit],
        );
  }
  const subgraph = replicas[0] as RunningSubgraph;
  let asked = 0;

  const send =
    (how: 'execute' | 'subscribe') =>
    (envelope: Partial<Envelope>, query: string, variables: Record<string, unknown> = {}) => {
      const body = JSON.stringify({ query, variables });
      const whole = { ...anonymousEnvelope(), ...envelope };
      asked += 1;
      const replica = replicas[asked % replicas.length] as RunningSubgraph;
      return replica[how](body, mint(whole, 'identity', body));
    };

  return {
    config,
    subgraph,
    sql,
    /** The same inside a tenant, for tables whose changes are audited. */
    sqlIn: (slug: SeedTenant, text: string, values: unknown[] = []) =>
      withClient(url.href, async (client) => {
        await client.query("select set_config('app.tenant_id', $1, false)", [seedId(SEED_TENANTS[slug])]);
        return (await client.query(text, values)).rows;
      }),
    /** Asks identity, one of its two replicas after the other, under an envelope; without one as a stranger. */
    ask: send('execute') as (
      envelope: Partial<Envelope>,
      query: string,
      variables?: Record<string, unknown>,
    ) => Promise<GraphResult>,
    listen: send('subscribe') as (
      envelope: Partial<Envelope>,
      query: string,
      variables?: Record<string, unknown>,
    ) => Promise<AsyncGenerator<GraphResult>>,
    async close() {
      await fanOut.close();
      await Promise.all(pools.map((db) => db.close()));
      url.pathname = '/postgres';
      await withClient(url.href, (client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

export type Trial = Awaited<ReturnType<typeof openTrial>>;

/** What the gateway says of somebody of the example world who is signed in with a fresh proof. */
export function envelopeOf(name: string, tenant?: SeedTenant): Partial<Envelope> {
  const person = PEOPLE.find((one) => one.name === name && (tenant === undefined || one.tenant === tenant));
  if (!person) throw new Error(`There is no ${name}.`);
  return {
    caller: { kind: 'USER', id: person.userId },
    tenantId: seedId(SEED_TENANTS[person.tenant]),
    membershipId: person.membershipId,
    sessionId: randomUUID(),
    ...(person.customerId ? { customerId: person.customerId } : {}),
    permissions: packPermissions(effectivePermissions([person.role], person.tenant === 'platform')),
    strongAt: Math.floor(Date.now() / 1_000),
  };
}

export const GATEWAY: Partial<Envelope> = { caller: { kind: 'GATEWAY', id: null } };

export interface Tokens {
  accessToken: string;
  expiresAt: string;
  refreshToken: string | null;
  refreshExpiresAt: string;
  sessionId: string;
  tenant: { slug: string } | null;
}

export interface SignInAnswer {
  session: Tokens | null;
  tenants: { id: string; tenant: { slug: string } }[];
  userErrors: { code: string; message: string; field: string | null }[];
}

const ANSWER =
  '{ session { accessToken expiresAt refreshToken refreshExpiresAt sessionId tenant { slug } } tenants { id tenant { slug } } userErrors { code message field } }';

interface Input {
  email: string;
  password?: string;
  realm?: string;
  tenant?: string;
  transport?: 'COOKIE' | 'BODY';
}

/** What a client does with the doors of signing in; answers as they come. */
export function clientOf(trial: Trial) {
  const call = async (envelope: Partial<Envelope>, door: string, type: string, input?: object) => {
    const query = input
      ? `mutation($input: ${type}) { ${door}(input: $input) ${ANSWER} }`
      : `mutation { ${door} ${ANSWER} }`;
    const { data, errors, extensions } = await trial.ask(envelope, query, input ? { input } : {});
    return { answer: data?.[door] as SignInAnswer, errors, extensions };
  };
  const client = {
    signIn: (input: Input, envelope: Partial<Envelope> = {}) =>
      call(envelope, 'signIn', 'SignInInput!', { password: PASSWORD, transport: 'BODY', ...input }),
    refresh: (refreshToken: string | null) => call({}, 'refreshSession', 'RefreshInput', { refreshToken }),
    refreshByCookie: (refreshCookie: string) => call({ refreshCookie }, 'refreshSession', 'RefreshInput'),
    switchTenant: (envelope: Partial<Envelope>, tenantId: string) =>
      call(envelope, 'switchTenant', 'SwitchTenantInput!', { tenantId }),
    stepUp: (envelope: Partial<Envelope>, password: string) => call(envelope, 'stepUp', 'StepUpInput!', { password }),
    /** Signs somebody in and hands over what they then are to a subgraph, as the gateway reads it from their token. */
    async enter(input: Input) {
      const { answer } = await client.signIn(input);
      const tokens = answer.session as Tokens;
      return { tokens, envelope: await client.seenBy(tokens) };
    },
    async seenBy({ sessionId }: Tokens): Promise<Partial<Envelope>> {
      const fields = 'userId tenantId membershipId customerId catalogue bits strongAt';
      const { data } = await trial.ask(GATEWAY, `query($ids: [ID!]!) { grants(sessionIds: $ids) { ${fields} } }`, {
        ids: [sessionId],
      });
      const [grant] = data?.grants as (Record<string, string> & { strongAt: number })[];
      if (!grant) throw new Error('There is no such session.');
      return {
        caller: { kind: 'USER', id: String(grant.userId) },
        tenantId: grant.tenantId ?? null,
        sessionId,
        ...(grant.membershipId ? { membershipId: grant.membershipId } : {}),
        ...(grant.customerId ? { customerId: grant.customerId } : {}),
        permissions: { catalogue: String(grant.catalogue), bits: String(grant.bits) },
        strongAt: grant.strongAt,
      };
    },
  };
  return client;
}

export const tenantId = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);
