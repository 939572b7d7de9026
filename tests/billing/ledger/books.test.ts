import fc from 'fast-check';
import { createCustomer } from '../../../subgraphs/billing/accounts/customer.service.ts';
import { recordPayment } from '../../../subgraphs/billing/payments/payment.service.ts';
import { postCharge } from '../../../subgraphs/billing/rating/charge.service.ts';
import { openTrial, type Trial } from '../trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const staff = { tenant: 'fable' } as const;
const trialBalance = () =>
  trial.sql('select tenant_id, currency, sum(amount_minor)::text as sum from billing.posting group by 1, 2');
const balanceOf = async (id: string) => {
  const { data } = await trial.ask(
    'billing',
    staff,
    'query($id: ID!) { customer(id: $id) { balance { amountMinor } } }',
    { id },
  );
  return BigInt((data as { customer: { balance: { amountMinor: string } } }).customer.balance.amountMinor);
};

describe('the books', () => {
  test('sum to nothing in every tenant and currency from the first start', async () => {
    const rows = await trialBalance();
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter((row) => row.sum !== '0')).toEqual([]);
  });

  test('sum to nothing after any charges and payments, and each customer owes what these come to', async () => {
    const amount = fc.bigInt(1n, 10n ** 12n);
    const step = fc.record({ who: fc.nat(2), isCharge: fc.boolean(), amount });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        run += 1;
        const ctx = trial.context('billing', staff);
        const customers = await Promise.all(
          ['Ann', 'Bob', 'Cy'].map((name) => createCustomer(trial.context('billing', staff), { name, kind: 'PERSON' })),
        );
        const owed = new Map(customers.map(({ id }) => [id, 0n]));
        for (const [i, { who, isCharge, amount: amountMinor }] of steps.entries()) {
          const { id: customerId, currency } = customers[who] as { id: string; currency: string };
          const idempotencyKey = `books:${run}:${i}`;
          if (isCharge) {
            const unitPrice = `${amountMinor / 100n}.${String(amountMinor % 100n).padStart(2, '0')}`;
            await postCharge(ctx, { customerId, description: 'Something', quantity: '1', unitPrice, idempotencyKey });
          } else {
            const amount = { amountMinor, currency };
            await recordPayment(ctx, { customerId, amount, method: 'CASH', receivedOn: '2026-01-02', idempotencyKey });
          }
          owed.set(customerId, (owed.get(customerId) ?? 0n) + (isCharge ? amountMinor : -amountMinor));
        }
        for (const [id, sum] of owed) expect(await balanceOf(id)).toBe(sum);
        expect((await trialBalance()).filter((row) => row.sum !== '0')).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  const posting = (amounts: readonly number[]) => `
    insert into billing.posting (id, transaction_id, account_id, currency, amount_minor, occurred_at, booked_on, fact_type, fact_id)
    select uuidv7(), '00000000-0000-7000-8000-00000000beef', (select id from billing.ledger_account limit 1), 'EUR', amount,
           now(), current_date, 'CHARGE', uuidv7() from unnest(array[${amounts}]) amount`;

  test('take no transaction that does not sum to nothing, whoever writes it', async () => {
    await expect(trial.asService('billing', 'northwind', posting([500, -499]))).rejects.toThrow('does not sum to 0');
    await expect(trial.asService('billing', 'northwind', posting([500, -500]))).resolves.toEqual([]);
    await expect(trial.asService('billing', 'northwind', posting([1]))).rejects.toThrow('does not sum to 0');
  });

  test.each([
    'update billing.posting set amount_minor = 1',
    'delete from billing.posting',
    'update billing.ledger_account set code = code',
    'delete from billing.ledger_account',
    'update billing.charge set net_minor = 1',
    'delete from billing.charge',
    'update billing.payment set amount_minor = 1',
    'delete from billing.payment',
    'delete from billing.customer',
  ])('are not changed afterwards: %s', async (statement) => {
    await expect(trial.asService('billing', 'northwind', statement)).rejects.toThrow('permission denied');
  });
});
