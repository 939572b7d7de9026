import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeedTenant } from '../../subgraphs/_kernel/seed-world.ts';
import { PEOPLE as SEEDED } from '../../subgraphs/identity/seed.ts';
import type { GatewayClient } from '../../tests/setup/gateway.ts';

export const TENANTS = ['kestrel', 'northwind', 'atlas', 'harbour'] as const satisfies SeedTenant[];

/** Somebody who asks, and whose things they may see. */
export interface Principal {
  name: string;
  tenants: readonly SeedTenant[];
  /** Their own memberships, which they are shown wherever they are. */
  own: readonly string[];
  token: string;
  /** Signs in anew; a key stays as it is. */
  renew(): Promise<void>;
}

const PEOPLE: readonly [email: string, tenant: SeedTenant, isPortal?: 'PORTAL'][] = [
  ['wren@kestrel.example', 'kestrel'],
  ['ada@kestrel.example', 'kestrel'],
  ['marcus@kestrel.example', 'kestrel', 'PORTAL'],
  ['ingrid@northwind.example', 'northwind'],
  ['samira@northwind.example', 'northwind'],
  ['lena@northwind.example', 'northwind', 'PORTAL'],
  ['bruno@atlas.example', 'atlas'],
  ['mara@northwind.example', 'atlas', 'PORTAL'], // the same mail as another person's at Northwind
  ['chidi@harbour.example', 'harbour'],
  ['edda@northwind.example', 'harbour'], // who is an auditor of Northwind too
];

/** What the keys may do: what their makers hold and machines want. */
const SCOPES = [
  ...['billing.customer.read', 'billing.customer.manage', 'network.inventory.read', 'network.service.read'],
  ...['tickets.ticket.read', 'tickets.ticket.open', 'crm.contact.read'],
];

const CREATE_KEY =
  'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { message } } }';

/** People of four tenants, of several kinds, an API key of each tenant whose plan has keys, and somebody who chose no tenant. */
export async function principalsOf(client: GatewayClient, password: string): Promise<Principal[]> {
  const people: Principal[] = [];
  for (const [email, tenant, isPortal] of PEOPLE) {
    const where = isPortal ? { realm: tenant } : { tenant };
    const own = isPortal ? [] : membershipsOf(email);
    const signIn = async () => (await client.signIn(email, password, where)).token;
    people.push(await signedIn(`${email} of ${tenant}`, [tenant], own, signIn));
  }
  const nowhere = await signedIn('edda of no tenant', ['northwind', 'harbour'], [], async () => {
    return (await client.signIn('edda@northwind.example', password)).token;
  });
  const keys: Principal[] = [];
  for (const tenant of TENANTS) {
    const key = await keyOf(client, people, tenant);
    if (key) keys.push(key);
  }
  return [...people, nowhere, ...keys];
}

/** The first of a tenant is its administrator. */
export const adminOf = (askers: readonly Principal[], tenant: SeedTenant): Principal =>
  askers.find(({ tenants }) => tenants[0] === tenant) as Principal;

const membershipsOf = (email: string) =>
  SEEDED.filter((one) => one.email === email && one.customerId === undefined).map(({ membershipId }) => membershipId);

async function signedIn(
  name: string,
  tenants: SeedTenant[],
  own: string[],
  signIn: () => Promise<string>,
): Promise<Principal> {
  const principal: Principal = {
    name,
    tenants,
    own,
    token: '',
    async renew() {
      principal.token = await patiently(signIn);
    },
  };
  await principal.renew();
  return principal;
}

async function keyOf(client: GatewayClient, people: Principal[], tenant: SeedTenant): Promise<Principal | undefined> {
  const admin = adminOf(people, tenant);
  const input = { name: 'Walls', scopes: SCOPES, requestsPerSecond: 100, idempotencyKey: randomUUID() };
  const answer = await client.post<{ createApiKey: { key: string; userErrors: { message: string }[] } }>(
    CREATE_KEY,
    { input },
    admin.token,
  );
  const key = answer.data?.createApiKey?.key;
  if (!key && answer.errors?.[0]?.extensions.code !== 'FEATURE_NOT_LICENSED')
    throw new Error(`${tenant} got no key: ${JSON.stringify([answer.errors, answer.data])}`);
  return key
    ? { name: `a key of ${tenant}`, tenants: [tenant], own: [], token: key, renew: async () => undefined }
    : undefined;
}

/** Signing in may meet a connection that was just killed, or find none free. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries > 20) throw error;
      await sleep(200);
    }
  }
}
