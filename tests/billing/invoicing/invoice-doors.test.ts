import { openTrial, type Trial } from '../trial.ts';
import { dateIn, hear, type Isp, newIsp } from './license-customer.ts';

let trial: Trial;
let isp: Isp;
beforeAll(async () => {
  trial = await openTrial();
  isp = await newIsp(trial);
  await hear(trial, 'chargeLicenseChange', isp.change());
  await isp.pay(414);
});
afterAll(() => trial.close());

const FIELDS = `number status issuedAt dueOn isOverdue overdueSince total { amountMinor currency } open { amountMinor }
  customer { id } lines { description net { amountMinor } } references { licensedTenantId licenseId changeId periodStart periodEnd }`;
const INVOICE = `query($id: ID!) { invoice(id: $id) { ${FIELDS} } }`;
const ask = (caller: Parameters<Trial['ask']>[1], query: string, variables = {}) =>
  trial.ask('billing', caller, query, variables);
const idOf = async () => (await isp.invoices())[0].id as string;

test('an invoice shows what it asks for, line by line, what is still open, and for which licence', async () => {
  const { data, errors } = await ask({ tenant: 'platform', roles: ['auditor'] }, INVOICE, { id: await idOf() });
  expect(errors).toBeUndefined();
  expect(data?.invoice).toMatchObject({
    ...{ status: 'ISSUED', dueOn: dateIn(14), isOverdue: false, overdueSince: null },
    total: { amountMinor: '9414', currency: 'USD' },
    open: { amountMinor: '9000' },
    customer: { id: isp.customerId },
    lines: [
      { description: 'credit:plan:starter@1', net: { amountMinor: '-4660' } },
      { description: 'charge:plan:professional@1', net: { amountMinor: '14074' } },
    ],
    references: [{ licensedTenantId: isp.licensedTenantId, licenseId: isp.licenseId }],
  });
});

test('a customer’s invoices come newest first, in pages, and a list of customers in one statement', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  const query = `query($id: ID!, $after: String) { customer(id: $id) { invoices(first: 1, after: $after) {
    nodes { total { amountMinor } } pageInfo { hasNextPage endCursor } } } }`;
  const caller = { tenant: 'platform', roles: ['billing_manager'] } as const;
  const page = async (after?: string) => {
    const { data } = await ask(caller, query, { id: isp.customerId, after });
    return (data?.customer as { invoices: { pageInfo: { endCursor: string } } }).invoices;
  };
  const first = await page();
  expect(first).toMatchObject({ nodes: [{ total: { amountMinor: '9900' } }], pageInfo: { hasNextPage: true } });
  expect(await page(first.pageInfo.endCursor)).toMatchObject({
    nodes: [{ total: { amountMinor: '9414' } }],
    pageInfo: { hasNextPage: false },
  });
  const statements = await trial.statementsOf('billing', () =>
    ask(caller, '{ customers(first: 50) { nodes { invoices(first: 5) { nodes { number lines { id } } } } } }'),
  );
  expect(statements).toHaveLength(3);
});

test('a portal customer reads its own invoices and no other’s', async () => {
  const own = { tenant: 'platform', roles: ['customer'], customerId: isp.customerId } as const;
  const other = await newIsp(trial);
  const id = await idOf();
  expect((await ask(own, INVOICE, { id })).data?.invoice).toMatchObject({ open: { amountMinor: '9000' } });
  expect((await ask({ ...own, customerId: other.customerId }, INVOICE, { id })).data).toEqual({ invoice: null });
  const mine = await ask(own, '{ myAccount { invoices { nodes { number lines { id } } } } }');
  expect(mine.errors).toBeUndefined();
  expect(mine.data).toMatchObject({ myAccount: { invoices: { nodes: [{}, {}] } } });
});

test('another tenant’s invoice is the same nothing as one that never was', async () => {
  const id = await idOf();
  for (const tenant of ['kestrel', 'northwind'] as const)
    for (const wanted of [id, isp.customerId, 'nothing'])
      expect(await ask({ tenant }, INVOICE, { id: wanted })).toEqual({ data: { invoice: null } });
});

test.each([
  ['technician'],
  ['sales'],
  ['customer'],
])('a %s without an account of their own reads none', async (role) => {
  const { errors } = await ask({ tenant: 'platform', roles: [role] }, INVOICE, { id: await idOf() });
  expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
});

test('the example world’s ISPs have their invoices, and what was paid is paid', async () => {
  const rows = await trial.sql(
    `select c.name, i.status, i.total_minor::int as total from billing.invoice i join billing.customer c on c.id = i.customer_id
      where i.key like 'seed:%' order by 1`,
  );
  expect(rows).toEqual([
    { name: 'Atlas Broadband', status: 'ISSUED', total: 899_100 },
    { name: 'Kestrel Wireless', status: 'ISSUED', total: 10_400 },
    { name: 'Northwind Fibre', status: 'PAID', total: 29_900 },
    { name: 'Sable Telecom', status: 'ISSUED', total: 29_900 },
  ]);
});
