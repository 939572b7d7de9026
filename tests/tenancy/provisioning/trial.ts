import { randomUUID } from 'node:crypto';
import type { GatewayClient, Person } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';
import type { World } from '../../setup/world.ts';

export interface Progress {
  runId: string;
  seq: number;
  state: string;
  percent: number;
  currentStep: string | null;
  error: string | null;
  steps: { name: string; state: string; attempts: number; message: string | null }[];
  tenant: { id: string; slug: string; state: string } | null;
}

export const PROGRESS =
  'runId seq state percent currentStep error steps { name state attempts message } tenant { id slug state }';

export interface Answer {
  run: Progress | null;
  ticket?: string | null;
  userErrors: { code: string; message: string; field: string | null }[];
}

let made = 0;
/** A request for a tenant nobody else has asked for. */
export function aRequest(given: Record<string, unknown> = {}) {
  made += 1;
  const slug = `reef-${process.pid}-${made}`;
  return {
    ...{ slug, name: 'Reef Net', country: 'DE', zone: 'Europe/Berlin', currency: 'EUR', plan: 'starter', region: 'eu' },
    admin: { name: 'Rita Reef', email: `rita@${slug}.example` },
    idempotencyKey: randomUUID(),
    ...given,
  };
}

const call = async (who: Pick<Person, 'ask'>, door: string, type: string, input: object): Promise<Answer> => {
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { run { ${PROGRESS} } userErrors { code message field } } }`;
  const { data, errors } = await who.ask<Record<string, Answer>, object>(query, { input });
  if (!data?.[door]) throw new Error(JSON.stringify(errors));
  return data[door];
};

export const requestTenant = (who: Pick<Person, 'ask'>, input: object) =>
  call(who, 'requestTenant', 'RequestTenantInput', input);
export const retry = (who: Pick<Person, 'ask'>, runId: string) => call(who, 'retryProvisioning', 'RunInput', { runId });
export const cancel = (who: Pick<Person, 'ask'>, runId: string) =>
  call(who, 'cancelProvisioning', 'RunInput', { runId });

export const follow = (who: Pick<Person, 'follow'>, variables: { runId: string; ticket?: string; after?: number }) =>
  who.follow<{ provisioningProgress: Progress }, object>(
    `subscription($runId: ID!, $ticket: String, $after: Int) { provisioningProgress(runId: $runId, ticket: $ticket, after: $after) { ${PROGRESS} } }`,
    variables,
  );

/** The first administrator does what the mail they got asks for, and signs in. */
export async function firstSignIn(
  { world, client, password }: { world: World; client: GatewayClient; password: string },
  { slug, admin: { email } }: Pick<ReturnType<typeof aRequest>, 'slug' | 'admin'>,
): Promise<Person> {
  const sent = await world.mails(email);
  const token = tokenIn(sent.findLast(({ links }) => links.some((link) => link.includes('#'))));
  const { data, errors } = await client.post<{ activateAccount: { userErrors: object[] } }, object>(
    'mutation($input: ActivateInput!) { activateAccount(input: $input) { userErrors { code message } } }',
    { input: { token, password, transport: 'BODY' } },
  );
  if (errors ?? data?.activateAccount.userErrors.length) throw new Error(JSON.stringify(errors ?? data));
  return client.signIn(email, password, { tenant: slug });
}

/** The next thing a stream tells; a step of a run may take longer than most do. */
async function nextOf(stream: ReturnType<typeof follow>, patienceMs: number) {
  for (const end = Date.now() + patienceMs; ; )
    try {
      return await stream.next();
    } catch (error) {
      if (Date.now() > end || !/within five seconds/.test((error as Error).message)) throw error;
    }
}

/** What a stream tells until a run is in one of these states. */
export async function until(
  stream: ReturnType<typeof follow>,
  states: readonly string[] = ['SUCCEEDED', 'FAILED', 'STUCK'],
  patienceMs = 0,
): Promise<Progress[]> {
  const told: Progress[] = [];
  for (;;) {
    const { data, errors } = await nextOf(stream, patienceMs);
    if (!data) throw new Error(JSON.stringify(errors));
    told.push(data.provisioningProgress);
    if (states.includes(data.provisioningProgress.state)) return told;
  }
}

/** Asks for a tenant that nothing speaks against. */
export async function begin(who: Pick<Person, 'ask'>, given: Record<string, unknown> = {}) {
  const asked = aRequest(given);
  const { run, userErrors } = await requestTenant(who, asked);
  expect(userErrors).toEqual([]);
  return { asked, run: run as Progress, runId: run?.runId as string, tenantId: run?.tenant?.id as string };
}

/** What is told of a run until it is in one of some states. */
export async function progressUntil(
  who: Pick<Person, 'follow'>,
  from: { runId: string; after?: number },
  ...ends: [states?: readonly string[], patienceMs?: number]
): Promise<Progress[]> {
  const stream = follow(who, from);
  const all = await until(stream, ...ends);
  await stream.stop();
  return all;
}

/** Lets what rests for a while be due at once, as if that time had passed. */
export async function letTimePass(sql: World['sql']): Promise<void> {
  await sql(
    `update tenancy.provisioning_run set due_at = now(), held_until = null where state not in ('SUCCEEDED', 'FAILED', 'STUCK')
       and set_config('app.tenant_id', tenant_id::text, true) is not null`,
  );
  await sql(
    `update graphile_worker._private_jobs j set run_at = now() from graphile_worker._private_tasks t
      where t.id = j.task_id and t.identifier = 'tenancy.advanceRun' and j.run_at > now()`,
  );
}

/** What there is of a tenant in all domains, as the superuser sees it. */
export async function traceOf(sql: World['sql'], tenantId: string) {
  const count = async (text: string) => Number((await sql(`select count(*)::int as n from ${text}`, [tenantId]))[0].n);
  return {
    licenses: await count('licensing.license where tenant_id = $1 and not is_withdrawn'),
    accounts: await count("billing.customer where licensed_tenant_id = $1 and status <> 'CLOSED'"),
    staff: await count("identity.membership where tenant_id = $1 and kind = 'STAFF' and state <> 'ENDED'"),
    portals: await count(
      `identity.membership m join billing.customer c on c.id = m.customer_id
        where c.licensed_tenant_id = $1 and m.kind = 'PORTAL' and m.state <> 'ENDED'`,
    ),
    domains: await count('tenancy.tenant_domain where tenant_id = $1'),
  };
}

export const WHOLE = { licenses: 1, accounts: 1, staff: 1, portals: 1, domains: 1 };
export const NOTHING = { licenses: 0, accounts: 0, staff: 0, portals: 0, domains: 0 };

export type Client = GatewayClient;
