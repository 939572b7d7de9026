import fc from 'fast-check';
import { openTrial, type Trial } from '../trial.ts';
import { hear, type Isp, line, month, newIsp, note, trialBalance } from './license-customer.ts';

let trial: Trial;
let isp: Isp;
beforeAll(async () => {
  trial = await openTrial();
});
beforeEach(async () => {
  isp = await newIsp(trial);
});
afterAll(() => trial.close());

const invoice = (amountMinor: number, over: object = {}) => {
  const renewal = isp.renewal({ ...month(Math.random() * 300), ...over });
  const { periodStart, periodEnd } = renewal;
  return hear(trial, 'invoiceRenewal', { ...renewal, lines: [line('plan', amountMinor, { periodStart, periodEnd })] });
};

test('money settles what is open, oldest due first; what is left waits', async () => {
  await invoice(6000);
  await invoice(2500, { terms: 'PREPAID', ...month(30) });
  await invoice(3000, { terms: 'PREPAID', ...month(25) });
  await isp.pay(10_000);
  expect((await isp.invoices()).map(({ total, open, status }) => [total, open, status])).toEqual([
    [6000, 0, 'PAID'],
    [2500, 1500, 'ISSUED'],
    [3000, 0, 'PAID'],
  ]);
  await isp.pay(2000);
  expect(await isp.names()).toEqual(['issued', 'issued', 'issued', 'paid', 'paid', 'paid']);
  expect(await isp.books()).toEqual({ owed: 0, ahead: 500 });
});

test('an invoice that is paid in parts is told paid once, when nothing is open', async () => {
  await invoice(100);
  for (const amount of [30, 30, 39]) await isp.pay(amount);
  expect(await isp.names()).toEqual(['issued']);
  await isp.pay(1);
  expect((await isp.told()).at(-1)).toMatchObject([
    'invoice.paid',
    { totalMinor: '100', openMinor: '0', currency: 'USD' },
  ]);
});

test('twenty payments at once settle what they bring and no more', async () => {
  await invoice(10_000);
  const paid = await Promise.all(
    Array.from({ length: 20 }, () =>
      isp
        .pay(700)
        .then(() => 700)
        .catch(() => 0),
    ),
  );
  const sum = paid.reduce((total, amount) => total + amount, 0);
  expect(sum).toBeGreaterThan(0);
  expect(await isp.books()).toEqual({ owed: Math.max(0, 10_000 - sum), ahead: Math.max(0, sum - 10_000) });
  expect((await isp.names()).filter((name) => name === 'paid')).toHaveLength(sum >= 10_000 ? 1 : 0);
});

test('after any story, what is open is what is owed, what is left is what is ahead, and the books sum to nothing', async () => {
  const step = fc.record({
    what: fc.constantFrom('renew', 'change', 'await', 'cancel', 'pay', 'stop', 'use'),
    amount: fc.integer({ min: 1, max: 30_000 }),
    sign: fc.constantFrom(1, -1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
      isp = await newIsp(trial);
      let waiting: object | undefined;
      for (const { what, amount, sign } of steps) {
        const seq = await note(trial, 'licensing.renewal.requested', isp.renewal());
        if (what === 'renew') await invoice(amount);
        if (what === 'pay') await isp.pay(amount);
        if (what === 'use')
          await hear(trial, 'chargeOverage', isp.usage({ ...month(), excess: String(amount) }), { seq });
        if (what === 'stop') await hear(trial, 'stopRenewal', isp.stop(), { seq });
        if (what === 'cancel' && waiting) await hear(trial, 'voidLicenseChange', waiting, { seq });
        const change = isp.change({ lines: [line('a', amount * sign), line('b', amount, month(-5))] });
        if (what === 'change') await hear(trial, 'chargeLicenseChange', change, { seq });
        if (what !== 'await') continue;
        waiting = { ...change, status: 'AWAITING_PAYMENT' };
        await hear(trial, 'invoiceLicenseChange', waiting, { seq });
      }
      const [left] = await trial.sql(
        `select (select coalesce(sum(open_minor), 0) from billing.invoice where customer_id = $1)::int as owed,
                (select coalesce(sum(remaining_minor), 0) from billing.credit where customer_id = $1)::int as ahead`,
        [isp.customerId],
      );
      expect(await isp.books()).toEqual(left);
      expect(left.owed === 0 || left.ahead === 0).toBe(true);
      const [applied] = await trial.sql(
        `select count(*)::int as wrong from billing.invoice i where customer_id = $1 and status <> 'VOID' and total_minor - open_minor <>
           (select coalesce(sum(amount_minor), 0) from billing.credit_application a where a.invoice_id = i.id and reversed_at is null)`,
        [isp.customerId],
      );
      expect(applied.wrong).toBe(0);
      expect(await trialBalance(trial)).toEqual([]);
    }),
    { numRuns: 15 },
  );
}, 60_000);

test.each([
  'update billing.invoice set total_minor = 1',
  'update billing.invoice set number = number',
  'update billing.invoice set due_on = due_on',
  'delete from billing.invoice',
  'update billing.credit set amount_minor = 1',
  'update billing.credit_application set amount_minor = 1',
  'delete from billing.credit_application',
  'delete from billing.chargeback',
])('a document is not changed after its issue: %s', async (statement) => {
  await expect(trial.asService('billing', 'platform', statement)).rejects.toThrow('permission denied');
});
