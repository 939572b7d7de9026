import { randomUUID } from 'node:crypto';
import { age, hear, type Isp, month, newIsp, trialBalance } from '../invoicing/license-customer.ts';
import { openTrial, type Trial } from '../trial.ts';

let trial: Trial;
let isp: Isp;
beforeAll(async () => {
  trial = await openTrial();
});
beforeEach(async () => {
  isp = await newIsp(trial);
});
afterAll(async () => {
  expect(await trialBalance(trial)).toEqual([]);
  await trial.close();
});

const clerk = { tenant: 'platform', roles: ['billing_manager'] } as const;
const TAKE_BACK = `mutation($input: RecordChargebackInput!) { recordChargeback(input: $input) {
  payment { id status customer { balance { amountMinor } } } userErrors { code field } } }`;

async function takeBack(over: Record<string, unknown>, caller: Parameters<Trial['ask']>[1] = clerk) {
  const input = { reason: 'Disputed by the cardholder.', idempotencyKey: randomUUID(), ...over };
  const { data, errors } = await trial.ask('billing', caller, TAKE_BACK, { input });
  // biome-ignore lint/suspicious/noExplicitAny: what a door answers
  return { ...((data?.recordChargeback ?? {}) as any), errors };
}

test('a payment that goes back opens what it had paid again, and the platform hears for which licence', async () => {
  const renewal = isp.renewal();
  await hear(trial, 'invoiceRenewal', renewal);
  const payment = await isp.pay(10_000);
  const { payment: reversed, userErrors } = await takeBack({ paymentId: payment.id });
  expect(userErrors).toEqual([]);
  expect(reversed).toMatchObject({
    id: payment.id,
    status: 'REVERSED',
    customer: { balance: { amountMinor: '9900' } },
  });
  const [invoice] = await isp.invoices();
  expect(invoice).toMatchObject({ status: 'ISSUED', open: 9900, overdue_since: null });
  expect(await isp.books()).toEqual({ owed: 9900, ahead: 0 });
  const told = Object.fromEntries((await isp.told()).slice(-2));
  const { licensedTenantId, licenseId, periodStart, periodEnd } = renewal;
  const references = [{ licensedTenantId, licenseId, periodStart, periodEnd }];
  expect(told).toEqual({
    'invoice.reopened': {
      ...{ invoiceId: invoice.id, customerId: isp.customerId, totalMinor: '9900', openMinor: '9900', currency: 'USD' },
      references,
    },
    'payment.charged_back': {
      ...{ paymentId: payment.id, customerId: isp.customerId, amountMinor: '10000', balanceMinor: '9900' },
      ...{ currency: 'USD', references },
    },
  });
});

test('what is past its due day is overdue again, from the moment it is open again', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  const payment = await isp.pay(9900);
  await age(trial, isp, '2026-01-15T00:00Z');
  const before = Date.now() - 1_000;
  await takeBack({ paymentId: payment.id });
  expect(await isp.names()).toEqual(['issued', 'paid', 'reopened', 'overdue']);
  const overdue = (await isp.told()).find(([name]) => name === 'invoice.overdue')?.[1];
  expect(new Date(overdue.overdueSince).getTime()).toBeGreaterThan(before);
});

test('other credit takes its place, and only what stays open is told', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  await hear(trial, 'invoiceRenewal', isp.renewal(month(60)));
  const first = await isp.pay(12_000);
  await isp.pay(17_900);
  await takeBack({ paymentId: first.id });
  expect((await isp.invoices()).map(({ open }) => open)).toEqual([0, 1900]);
  const [, , , , , , ...told] = await isp.told();
  expect(told.map(([name, { references }]) => [name, references.length])).toEqual([
    ['invoice.reopened', 1],
    ['payment.charged_back', 1],
  ]);
});

test('a part payment that goes back names its licence too, though its invoice was never paid', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  const payment = await isp.pay(100);
  await takeBack({ paymentId: payment.id });
  expect((await isp.told()).at(-1)).toMatchObject([
    'payment.charged_back',
    { references: [{ licenseId: isp.licenseId }] },
  ]);
  expect(await isp.names()).toEqual(['issued']);
});

test('money that had settled nothing goes back without a word about licences', async () => {
  const payment = await isp.pay(100);
  await takeBack({ paymentId: payment.id });
  expect((await isp.told()).at(-1)).toMatchObject(['payment.charged_back', { references: [] }]);
  expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
  await hear(trial, 'invoiceRenewal', isp.renewal());
  expect(await isp.invoices()).toMatchObject([{ status: 'ISSUED', open: 9900 }]);
});

test('it goes back once, whoever says so how often', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  const payment = await isp.pay(9900);
  const input = { paymentId: payment.id, idempotencyKey: randomUUID() };
  await Promise.all(Array.from({ length: 20 }, () => takeBack(input)));
  expect((await takeBack(input)).payment.id).toBe(payment.id);
  expect((await takeBack({ paymentId: payment.id })).userErrors).toEqual([{ code: 'INVALID_STATE', field: 'status' }]);
  expect(await isp.names()).toEqual(['issued', 'paid', 'reopened']);
  expect(await isp.books()).toEqual({ owed: 9900, ahead: 0 });
});

test('paid anew it is paid, and the licence hears it', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  const payment = await isp.pay(9900);
  await takeBack({ paymentId: payment.id });
  await isp.pay(9900);
  expect(await isp.names()).toEqual(['issued', 'paid', 'reopened', 'paid']);
});

test.each([
  [{ paymentId: randomUUID() }, 'NOT_FOUND', 'paymentId'],
  [{ paymentId: 'nothing' }, 'NOT_FOUND', 'paymentId'],
  [{ reason: '' }, 'INVALID', 'reason'],
  [{ reason: 'x'.repeat(201) }, 'INVALID', 'reason'],
  [{ idempotencyKey: '' }, 'INVALID', 'idempotencyKey'],
])('%j is refused: %s', async (over, code, field) => {
  const payment = await isp.pay(100);
  expect((await takeBack({ paymentId: payment.id, ...over })).userErrors).toEqual([{ code, field }]);
});

test('another tenant’s payment is none, and support takes nothing back', async () => {
  const payment = await isp.pay(100);
  const elsewhere = await takeBack({ paymentId: payment.id }, { tenant: 'northwind' });
  expect(elsewhere.userErrors).toEqual([{ code: 'NOT_FOUND', field: 'paymentId' }]);
  const support = await takeBack({ paymentId: payment.id }, { tenant: 'platform', roles: ['support_agent'] });
  expect(support.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
});

test('it is written down whatever the state of the licence', async () => {
  const payment = await isp.pay(100);
  expect((await takeBack({ paymentId: payment.id }, { ...clerk, core: 'READ' })).userErrors).toEqual([]);
});
