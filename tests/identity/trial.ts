import { randomUUID } from 'node:crypto';
import { packPermissions } from '../../schema/permissions.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createVerifier, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { type GraphResult, runSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { effectivePermissions } from '../../subgraphs/identity/membership.rules.ts';
import { PEOPLE } from '../../subgraphs/identity/seed.ts';
import { answerFor } from '../setup/codes.ts';
import { withClient } from '../setup/database.ts';
import { openWorld } from '../setup/world.ts';

/** The example world as a gateway asks identity in it, which runs in two replicas. */
export async function openTrial() {
  const world = await openWorld();
  const { config, databaseUrl: url } = world;
  const first = world.subgraph('identity');
  const second = runSubgraph(first.subgraph, { ...first.machinery }, createVerifier(config.ENVELOPE_PUBLIC_KEYS));
  let asked = 0;
  const next = () => {
    asked += 1;
    return asked % 2 === 0 ? first : second;
  };
  const signed = (envelope: Partial<Envelope>, query: string, variables: Record<string, unknown>) =>
    world.signed(envelope, 'identity', query, variables);
  return {
    config,
    password: String(config.SEED_PASSWORD),
    databaseUrl: url,
    system: (tenant: SeedTenant) => world.system(tenant, 'identity'),
    /** Asks identity, one of its two replicas after the other, under an envelope; without one as a stranger. */
    ask: (envelope: Partial<Envelope>, query: string, variables: Record<string, unknown> = {}) =>
      next().execute(...signed(envelope, query, variables)),
    listen: async (envelope: Partial<Envelope>, query: string) =>
      (await next().subscribe(...signed(envelope, query, {}))) as AsyncGenerator<GraphResult>,
    /** Runs a statement as the superuser, around every wall. */
    sql: world.sql,
    /** The same inside a tenant, for tables whose changes are audited. */
    sqlIn: (slug: SeedTenant, text: string, values: unknown[] = []) =>
      withClient(url, async (client) => {
        await client.query("select set_config('app.tenant_id', $1, false)", [tenantId(slug)]);
        return (await client.query(text, values)).rows;
      }),
    /** What is sent to the database about our tables while `run` runs. */
    async statementsOf(run: () => Promise<unknown>): Promise<string[]> {
      const queries = await world.statementsOf('identity', run);
      return queries.filter((query) => /\b(identity|kernel)"?\./.test(query));
    },
    /** The mails that have gone out, oldest first, once every job has run. */
    mails: (to?: string) => world.mails(to),
    close: () => world.close(),
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
    proofs: [person.hasTotp ? 'OTP' : 'PWD'],
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
  mustDo: string[];
}

export interface SignInAnswer {
  session: Tokens | null;
  challenge: { token: string; methods: string[]; expiresAt: string; passkeyOptions: string | null } | null;
  tenants: { id: string; tenant: { slug: string } }[];
  userErrors: { code: string; message: string; field: string | null }[];
}

const ANSWER =
  '{ session { accessToken expiresAt refreshToken refreshExpiresAt sessionId tenant { slug } mustDo } challenge { token methods expiresAt passkeyOptions } tenants { id tenant { slug } } userErrors { code message field } }';

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
      call(envelope, 'signIn', 'SignInInput!', { password: trial.password, transport: 'BODY', ...input }),
    refresh: (refreshToken: string | null) => call({}, 'refreshSession', 'RefreshInput', { refreshToken }),
    refreshByCookie: (refreshCookie: string) => call({ refreshCookie }, 'refreshSession', 'RefreshInput'),
    switchTenant: (envelope: Partial<Envelope>, tenantId: string) =>
      call(envelope, 'switchTenant', 'SwitchTenantInput!', { tenantId }),
    stepUp: (envelope: Partial<Envelope>, given: object) => call(envelope, 'stepUp', 'StepUpInput!', given),
    answer: (token: string, given: object, envelope: Partial<Envelope> = {}) =>
      call(envelope, 'answerChallenge', 'AnswerChallengeInput!', { token, ...given }),
    /** Signs somebody in and hands over what they then are to a subgraph, as the gateway reads it from their token. */
    async enter(input: Input) {
      const { answer: first } = await client.signIn(input);
      const code =
        first.challenge && (await answerFor(input.email, input.password ?? trial.password, trial.databaseUrl));
      const { answer } = first.challenge ? await client.answer(first.challenge.token, { code }) : { answer: first };
      const tokens = answer.session as Tokens;
      return { tokens, envelope: await client.seenBy(tokens) };
    },
    async seenBy({ sessionId }: Tokens): Promise<Partial<Envelope>> {
      const fields = 'userId tenantId membershipId customerId catalogue bits strongAt proofs mustDo';
      const { data } = await trial.ask(GATEWAY, `query($ids: [ID!]!) { grants(sessionIds: $ids) { ${fields} } }`, {
        ids: [sessionId],
      });
      const [grant] = data?.grants as (Record<string, string> & {
        strongAt: number | null;
        proofs: string[];
        mustDo: string[];
      })[];
      if (!grant) throw new Error('There is no such session.');
      return {
        caller: { kind: 'USER', id: String(grant.userId) },
        tenantId: grant.tenantId ?? null,
        sessionId,
        ...(grant.membershipId ? { membershipId: grant.membershipId } : {}),
        ...(grant.customerId ? { customerId: grant.customerId } : {}),
        permissions: { catalogue: String(grant.catalogue), bits: String(grant.bits) },
        proofs: grant.proofs,
        mustDo: grant.mustDo,
        ...(grant.strongAt === null ? {} : { strongAt: grant.strongAt }),
      };
    },
  };
  return client;
}

export const tenantId = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);
