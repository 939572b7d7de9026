import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emit } from '../../subgraphs/_kernel/events.ts';
import { seedApiKey, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { KEYS } from '../../subgraphs/identity/api-keys/seed.ts';
import { type GatewayClient, openGatewayWorld } from '../setup/gateway.ts';
import { tenantId } from './trial.ts';

const DAY_MS = 86_400_000;

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  await running.world.untilNoJobs();
}, 120_000);
afterAll(() => running?.close());

const CUSTOMERS = '{ customers(first: 1) { nodes { id } } }';
const keyOf = (tenant: string, state: string): string => {
  const found = KEYS.find((one) => one.tenant === tenant && one.state === state);
  return seedApiKey(running.password, String(found?.keyId));
};
const outcome = async (key: string) => {
  const { errors } = await client.post(CUSTOMERS, {}, key);
  const { code, reason }: Record<string, unknown> = errors?.[0]?.extensions ?? { code: 'OK' };
  return [code, reason].filter(Boolean).join(' ');
};

test('Northwind has a key that works, one that has expired and one that was revoked', async () => {
  expect(await outcome(keyOf('northwind', 'ACTIVE'))).toBe('OK');
  expect(await outcome(keyOf('northwind', 'EXPIRED'))).toMatch(/^UNAUTHENTICATED/);
  expect(await outcome(keyOf('northwind', 'REVOKED'))).toMatch(/^UNAUTHENTICATED/);
  const ingrid = await client.signIn('ingrid@northwind.example', running.password);
  const { data } = await ingrid.ask<
    { apiKeys: { nodes: { name: string; state: string; scopes: string[] }[] } },
    object
  >('{ apiKeys(first: 10) { nodes { name state scopes } } }');
  expect(data?.apiKeys.nodes.map(({ state }) => state)).toEqual(['REVOKED', 'EXPIRED', 'ACTIVE']);
  expect(data?.apiKeys.nodes.at(-1)?.scopes).toHaveLength(2);
});

test('Northwind’s auditor sees who of support was there, in whose name and why', async () => {
  const edda = await client.signIn('edda@northwind.example', running.password, { tenant: 'northwind' });
  const { data } = await edda.ask(
    '{ impersonations(first: 5) { nodes { state endReason mode reason ticket operatorName user { displayName } } } }',
  );
  expect(data).toEqual({
    impersonations: {
      nodes: [
        {
          ...{ state: 'ENDED', endReason: 'BY_OPERATOR', mode: 'READ', ticket: 'T-2207' },
          ...{ reason: 'A total looks wrong to her.', operatorName: 'Tomás Rivera' },
          user: { displayName: 'Mira Petrov' },
        },
      ],
    },
  });
});

test('Ole speaks for Hafen Logistik', async () => {
  const ole = await client.signIn('ole@northwind.example', running.password, { realm: 'northwind' });
  const { data } = await ole.ask('{ me { user { displayName } memberships { customer { id name } } } }');
  expect(data).toEqual({
    me: {
      user: { displayName: 'Ole Brink' },
      memberships: [{ customer: { id: seedId('7034'), name: 'Hafen Logistik' } }],
    },
  });
});

test('The key of a suspended tenant is refused, and the same one works when the tenant has paid', async () => {
  const key = keyOf('sable', 'ACTIVE');
  expect(await outcome(key)).toBe('FORBIDDEN TENANT_SUSPENDED');
  const [license] = await running.world.sql('select id, paid_until from licensing.license where tenant_id = $1', [
    tenantId('sable'),
  ]);
  const at = new Date();
  const reference = {
    ...{ licensedTenantId: tenantId('sable'), licenseId: license.id },
    ...{
      periodStart: new Date(license.paid_until.getTime() - DAY_MS).toISOString(),
      periodEnd: new Date(at.getTime() + 20 * DAY_MS).toISOString(),
    },
  };
  const invoice = {
    ...{ invoiceId: randomUUID(), customerId: seedId('7004'), references: [reference] },
    ...{ totalMinor: '29900', openMinor: '0', currency: 'USD' },
    ...{ dueOn: at.toISOString().slice(0, 10), overdueSince: null, occurredAt: at.toISOString() },
  };
  const billing = await running.world.system('platform', 'billing');
  for (const word of ['issued', 'paid'] as const)
    await billing.tx(async (em) => void emit(em, `billing.invoice.${word}`, invoice as never));
  await running.world.untilNoJobs();
  expect(await outcome(key)).toBe('OK');
});
