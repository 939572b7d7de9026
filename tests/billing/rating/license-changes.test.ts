import type { LoggedEvent } from '../../../schema/events.ts';
import { subscribers } from '../../../subgraphs/billing/subscribers.ts';
import { openTrial, type Trial } from '../trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const CHANGE = '01990000-0000-7000-8000-00000000c001';
const period = { currency: 'USD', periodStart: '2027-03-17T16:15:30.000Z', periodEnd: '2027-04-01T06:00:00.000Z' };

/** Kestrel's upgrade: 46.60 of the starter come back, 140.74 of professional are charged. */
function upgrade(over: Record<string, unknown> = {}): LoggedEvent<'licensing.change.applied'> {
  const lines = [
    { key: 'starter', amountMinor: '-4660', ...period },
    { key: 'professional', amountMinor: '14074', ...period },
    { key: 'nothing', amountMinor: '0', ...period },
  ];
  const payload = { changeId: CHANGE, licensedTenantId: trial.tenantId('kestrel'), lines, ...over };
  return { id: 'e', tenantId: trial.tenantId('platform'), seq: 1, name: 'licensing.change.applied', payload } as never;
}

async function hear(event: LoggedEvent<'licensing.change.applied'>): Promise<void> {
  const ctx = await trial.system('billing', 'platform');
  await ctx.tx(() => subscribers.chargeLicenseChange.hear(ctx, event)).finally(() => ctx.end());
}
const account = async () => {
  const query =
    'query($id: ID!) { customer(id: $id) { balance { amountMinor } charges { nodes { kind description unitPrice net { amountMinor } period { start end } } } } }';
  const { data } = await trial.ask('billing', { tenant: 'platform' }, query, {
    id: '01990000-0000-7000-8000-000000007001',
  });
  return data?.customer;
};

test('a change of licence is charged to the ISP line by line, once, however often it is told', async () => {
  for (let i = 0; i < 3; i += 1) await hear(upgrade());
  expect(await account()).toMatchObject({
    balance: { amountMinor: String(10400 - 4660 + 14074) },
    charges: {
      nodes: [
        {
          kind: 'LICENSE',
          description: 'professional',
          unitPrice: '140.74',
          net: { amountMinor: '14074' },
          period: { start: period.periodStart, end: period.periodEnd },
        },
        { kind: 'LICENSE', description: 'starter', unitPrice: '-46.6', net: { amountMinor: '-4660' } },
        { description: 'storage_100' },
        { description: 'starter' },
      ],
    },
  });
});

test('a tenant the platform does not know, or another currency, fails visibly and charges nothing', async () => {
  const before = await trial.sql('select count(*) from billing.charge');
  await expect(hear(upgrade({ licensedTenantId: trial.tenantId('platform') }))).rejects.toThrow(
    'no customer of the platform',
  );
  const lines = [{ key: 'x', amountMinor: '5', ...period, currency: 'EUR' }];
  await expect(hear(upgrade({ changeId: '01990000-0000-7000-8000-00000000c003', lines }))).rejects.toThrow(
    'pays in USD',
  );
  expect(await trial.sql('select count(*) from billing.charge')).toEqual(before);
});

test("a prospect's first service makes it a customer; later ones change nothing", async () => {
  const { data } = await trial.ask(
    'billing',
    { tenant: 'northwind' },
    'mutation { createCustomer(input: {name: "New", kind: PERSON}) { customer { id } } }',
  );
  const customerId = (data as { createCustomer: { customer: { id: string } } }).createCustomer.customer.id;
  const told = { payload: { customerId } } as never;
  for (let i = 0; i < 2; i += 1) {
    const ctx = await trial.system('billing', 'northwind');
    await ctx.tx(() => subscribers.activateCustomer.hear(ctx, told)).finally(() => ctx.end());
  }
  expect(await trial.sql('select status, version from billing.customer where id = $1', [customerId])).toEqual([
    { status: 'ACTIVE', version: 2 },
  ]);
});
