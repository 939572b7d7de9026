import { randomUUID } from 'node:crypto';
import { openTrial, type Trial } from '../trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const LENA = '01990000-0000-7000-8000-000000007031';
const JONAS = '01990000-0000-7000-8000-000000007036';
const clerk = { tenant: 'northwind', roles: ['billing_manager'] } as const;

const RECORD = `mutation($input: RecordPaymentInput!) { recordPayment(input: $input) {
  payment { id status amount { amountMinor currency } receivedOn customer { balance { amountMinor } } } userErrors { code field message } } }`;
const input = (over: Record<string, unknown> = {}) => ({
  customerId: LENA,
  amount: { amountMinor: '1000', currency: 'EUR' },
  method: 'BANK_TRANSFER',
  receivedOn: '2026-01-02',
  idempotencyKey: randomUUID(),
  ...over,
});

interface Answer {
  payment: { id: string; customer: { balance: { amountMinor: string } } } | null;
  userErrors: { code: string; field: string | null; message: string }[];
}
async function record(given: Record<string, unknown>, caller: Parameters<Trial['ask']>[1] = clerk) {
  const { data, errors } = await trial.ask('billing', caller, RECORD, { input: given });
  return { ...((data?.recordPayment ?? { payment: null, userErrors: [] }) as Answer), errors };
}

test('money that is recorded counts at once', async () => {
  const { payment } = await record(input());
  expect(payment).toMatchObject({
    status: 'SUCCEEDED',
    amount: { amountMinor: '1000', currency: 'EUR' },
    receivedOn: '2026-01-02',
    customer: { balance: { amountMinor: '4937' } },
  });
});

test('what is more than owed is credit, kept to the last cent', async () => {
  const { payment } = await record(
    input({ customerId: JONAS, amount: { amountMinor: '9007199254740993', currency: 'EUR' } }),
  );
  expect(payment?.customer.balance.amountMinor).toBe(String(4748n - 9007199254740993n));
});

test('one key is one payment: the same request gets the first answer, another is a mismatch', async () => {
  const given = input();
  const first = await record(given);
  const again = await record(given);
  expect(again.payment?.id).toBe(first.payment?.id);
  const other = await record({ ...given, amount: { amountMinor: '1001', currency: 'EUR' } });
  expect(other.payment).toBeNull();
  expect(other.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH', field: 'idempotencyKey' }]);
});

test('the key holds for ever, longer than the answers the kernel keeps', async () => {
  const given = input();
  const first = await record(given);
  await trial.sql('delete from kernel.idempotency_key where key = $1', [given.idempotencyKey]);
  expect((await record(given)).payment?.id).toBe(first.payment?.id);
  await trial.sql('delete from kernel.idempotency_key where key = $1', [given.idempotencyKey]);
  expect((await record({ ...given, method: 'CASH' })).userErrors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
});

test('the same key in another tenant is a payment of its own', async () => {
  const given = input();
  const here = await record(given);
  const there = await record({ ...given, customerId: '01990000-0000-7000-8000-000000007078' }, { tenant: 'atlas' });
  expect(there.userErrors).toEqual([]);
  expect(there.payment?.id).not.toBe(here.payment?.id);
});

test('fifty equal requests at once make one payment', async () => {
  const given = input();
  const answers = await Promise.all(Array.from({ length: 50 }, () => record(given)));
  const ids = new Set(answers.flatMap(({ payment }) => (payment ? [payment.id] : [])));
  expect(ids.size).toBe(1);
  const elsewise = answers.filter(({ payment }) => !payment);
  expect(
    elsewise.filter(
      (a) => a.userErrors[0]?.code !== 'IDEMPOTENCY_IN_PROGRESS' && a.errors?.[0]?.extensions?.code !== 'OVERLOADED',
    ),
  ).toEqual([]);
  const rows = await trial.sql('select id from billing.payment where idempotency_key = $1', [given.idempotencyKey]);
  expect(rows.map((row) => row.id)).toEqual([...ids]);
});

test.each([
  [{ amount: { amountMinor: '0', currency: 'EUR' } }, 'INVALID', 'amount'],
  [{ amount: { amountMinor: '-5', currency: 'EUR' } }, 'INVALID', 'amount'],
  [{ amount: { amountMinor: '5', currency: 'USD' } }, 'INVALID', 'amount'],
  [{ receivedOn: '2999-01-01' }, 'INVALID', 'receivedOn'],
  [{ idempotencyKey: '' }, 'INVALID', 'idempotencyKey'],
  [{ customerId: randomUUID() }, 'NOT_FOUND', 'customerId'],
  [{ customerId: '01990000-0000-7000-8000-000000007078' }, 'NOT_FOUND', 'customerId'],
  [{ customerId: 'nobody' }, 'NOT_FOUND', 'customerId'],
])('%j is refused: %s', async (over, code, field) => {
  const { payment, userErrors } = await record(input(over));
  expect(payment).toBeNull();
  expect(userErrors).toMatchObject([{ code, field }]);
});

test('a refused key is not used up', async () => {
  const given = input({ customerId: randomUUID() });
  await record(given);
  expect((await record({ ...given, customerId: LENA })).userErrors).toEqual([]);
});

test.each(['0.1', '10,00', '1e309', 'NaN', 7, '1234567890123456789'])('%j is no amount', async (amountMinor) => {
  const { errors } = await record(input({ amount: { amountMinor, currency: 'EUR' } }));
  expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
});

test('the event says what moved and what is owed after it', async () => {
  const { payment } = await record(input({ customerId: '01990000-0000-7000-8000-000000007038' }));
  const [event] = await trial.sql("select payload from kernel.event where payload ->> 'paymentId' = $1", [payment?.id]);
  expect(event?.payload).toMatchObject({
    amountMinor: '1000',
    balanceMinor: '3748',
    currency: 'EUR',
    method: 'BANK_TRANSFER',
  });
});

test('support may see payments but not record them', async () => {
  const { errors } = await record(input(), { tenant: 'northwind', roles: ['support_agent'] });
  expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
});

test('money is taken in whatever the state of the licence', async () => {
  expect((await record(input(), { ...clerk, core: 'READ' })).errors).toBeUndefined();
});
