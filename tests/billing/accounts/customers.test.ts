import { randomUUID } from 'node:crypto';
import { type Caller, openTrial, type Trial } from '../trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const seeded = (digits: string) => `01990000-0000-7000-8000-00000000${digits}`;
const ingrid = { tenant: 'northwind', roles: ['tenant_admin'] } as const;
const lena: Caller = { tenant: 'northwind', roles: ['customer'], customerId: seeded('7031') };

async function ask<T>(query: string, variables: Record<string, unknown> = {}, caller: Caller = ingrid): Promise<T> {
  const { data, errors } = await trial.ask('billing', caller, query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}
interface Answer {
  customer: Record<string, unknown> | null;
  userErrors: { code: string; field: string | null; message: string }[];
}
async function tell(
  door: string,
  type: string,
  input: Record<string, unknown>,
  caller: Caller = ingrid,
): Promise<Answer> {
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { customer { id number status version name email timeZone currency billingDay balance { amountMinor } } userErrors { code field message } } }`;
  return (await ask<Record<string, Answer>>(query, { input }, caller))[door] as Answer;
}
const create = async (over: Record<string, unknown> = {}) =>
  (await tell('createCustomer', 'CreateCustomerInput', { name: 'Nora Test', kind: 'PERSON', ...over }))
    .customer as Record<string, unknown>;
const activate = (id: unknown) =>
  trial.asService('billing', 'northwind', `update billing.customer set status = 'ACTIVE' where id = '${id}'`);

describe('what a customer owes', () => {
  const BALANCE = 'query($id: ID!) { customer(id: $id) { name balance { amountMinor currency } } }';
  test.each([
    ['northwind', '7031', 'Lena Spaet', '5937', 'EUR'],
    ['northwind', '7032', 'Mara Lind', '0', 'EUR'],
    ['northwind', '7034', 'Hafen Logistik', '0', 'USD'],
    ['kestrel', '7019', 'Marcus Tran', '7580', 'USD'],
    ['platform', '7001', 'Kestrel Wireless', '10400', 'USD'],
  ] as const)('at %s %s, %s, owes %s %s', async (tenant, digits, name, amountMinor, currency) => {
    const data = await ask(BALANCE, { id: seeded(digits) }, { tenant });
    expect(data).toEqual({ customer: { name, balance: { amountMinor, currency } } });
  });

  test('is read for a whole page in one statement, its charges and payments in one each', async () => {
    const query = `query($first: Int!) { customers(first: $first) { nodes { balance { amountMinor }
      charges(first: 5) { nodes { net { amountMinor } } } payments(first: 5) { nodes { id } } } } }`;
    const counted = (first: number) => trial.statementsOf('billing', () => ask(query, { first }));
    const few = await counted(2);
    const many = await counted(100);
    expect(few).toHaveLength(4);
    expect(many).toHaveLength(4);
  });
});

describe('the list of customers', () => {
  test('holds all of the tenant page by page, each once', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { customers: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
        await ask(
          'query($after: String) { customers(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
          { after },
        );
      seen.push(...page.customers.nodes.map(({ id }) => id));
      after = page.customers.pageInfo.hasNextPage ? page.customers.pageInfo.endCursor : null;
    } while (after);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(600);
  });

  test.each([
    [{ text: 'lena' }, ['Lena Spaet']],
    [{ text: 'C-000002' }, ['Mara Lind']],
    [{ text: 'ole@hafen' }, ['Hafen Logistik']],
    [{ text: '%' }, []],
    [{ text: 'lena', status: 'CLOSED' }, []],
  ])('%j finds %j', async (filter, names) => {
    const data = await ask('query($filter: CustomerFilter) { customers(filter: $filter) { nodes { name } } }', {
      filter,
    });
    expect(data).toEqual({ customers: { nodes: names.map((name) => ({ name })) } });
  });

  test.each([
    [{ first: 101 }, 'A page has 1 to 100 entries.'],
    [{ first: 0 }, 'A page has 1 to 100 entries.'],
    [{ after: 'nonsense' }, 'This cursor is not one of ours.'],
    [{ after: Buffer.from('["x"]').toString('base64url') }, 'This cursor is not one of ours.'],
  ])('%j is refused', async (variables, message) => {
    const { errors } = await trial.ask(
      'billing',
      ingrid,
      'query($first: Int, $after: String) { customers(first: $first, after: $after) { nodes { id } } }',
      { first: 25, ...variables },
    );
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('opening an account', () => {
  test('takes currency and zone of the tenant and the next number', async () => {
    expect(await create()).toMatchObject({
      status: 'PROSPECT',
      version: 1,
      currency: 'EUR',
      timeZone: 'Europe/Berlin',
      number: 'C-000601',
    });
    expect(await create()).toMatchObject({ number: 'C-000602' });
  });

  test('tells who it is in the part of the event that can be blanked', async () => {
    const { id } = await create({ email: 'nora@test.example' });
    const [event] = await trial.sql(
      "select payload, personal from kernel.event where name = 'billing.customer.created' and payload ->> 'customerId' = $1",
      [id],
    );
    expect(event?.payload).toEqual({ customerId: id, kind: 'PERSON', status: 'PROSPECT', version: 1 });
    expect(event?.personal).toMatchObject({ subject: id, name: 'Nora Test', email: 'nora@test.example' });
  });

  test('is refused for a currency nobody uses, and burns no number', async () => {
    const refused = await tell('createCustomer', 'CreateCustomerInput', { name: 'X', kind: 'PERSON', currency: 'BGN' });
    expect(refused).toMatchObject({ customer: null, userErrors: [{ code: 'INVALID', field: 'currency' }] });
    const [{ last } = { last: 0 }] = await trial.sql(
      "select last from kernel.number_series where series = 'customer' and tenant_id = $1",
      [trial.tenantId('northwind')],
    );
    expect((await create()).number).toBe(`C-${String(Number(last) + 1).padStart(6, '0')}`);
  });

  test('is closed from licence state RESTRICTED on, while changes stay open', async () => {
    const restricted: Caller = { ...ingrid, core: 'READ' };
    const { errors } = await trial.ask(
      'billing',
      restricted,
      'mutation { createCustomer(input: {name: "X", kind: PERSON}) { customer { id } } }',
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
    const { id } = await create();
    const changed = await tell(
      'updateCustomer',
      'UpdateCustomerInput',
      { customerId: id, expectedVersion: 1, name: 'Y' },
      restricted,
    );
    expect(changed.userErrors).toEqual([]);
  });
});

describe('changing an account', () => {
  test('changes what is given, clears what is null and leaves the rest', async () => {
    const { id } = await create({ email: 'a@b.example', phone: '+49 30 1' });
    const { customer } = await tell('updateCustomer', 'UpdateCustomerInput', {
      customerId: id,
      expectedVersion: 1,
      name: 'Nora New',
      email: null,
    });
    expect(customer).toMatchObject({ name: 'Nora New', email: null, version: 2 });
    const [row] = await trial.sql('select phone from billing.customer where id = $1', [id]);
    expect(row?.phone).toBe('+49 30 1');
  });

  test('of twenty changes on one version one holds', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        trial.ask(
          'billing',
          ingrid,
          'mutation($input: UpdateCustomerInput!) { updateCustomer(input: $input) { customer { version } userErrors { code } } }',
          { input: { customerId: id, expectedVersion: 1, name: `Nora ${i}` } },
        ),
      ),
    );
    const held = answers.filter(({ data }) => (data?.updateCustomer as Answer | undefined)?.customer);
    expect(held).toHaveLength(1);
    const [row] = await trial.sql('select version from billing.customer where id = $1', [id]);
    expect(row?.version).toBe(2);
  });
});

describe('closing an account', () => {
  const close = (customerId: unknown) => tell('closeCustomer', 'CloseCustomerInput', { customerId });

  test('is refused while money is owed, and the customer stays as it was', async () => {
    expect(await close(seeded('7036'))).toMatchObject({
      customer: null,
      userErrors: [{ code: 'INVALID_STATE', message: 'This customer still owes money.' }],
    });
    expect(await ask('query($id: ID!) { customer(id: $id) { status } }', { id: seeded('7036') })).toEqual({
      customer: { status: 'ACTIVE' },
    });
  });

  test('is refused while there is credit', async () => {
    const pay = {
      customerId: seeded('7037'),
      amount: { amountMinor: '1', currency: 'EUR' },
      method: 'CASH',
      receivedOn: '2026-01-02',
      idempotencyKey: randomUUID(),
    };
    await ask('mutation($input: RecordPaymentInput!) { recordPayment(input: $input) { userErrors { code } } }', {
      input: pay,
    });
    expect(await close(seeded('7037'))).toMatchObject({
      userErrors: [{ code: 'INVALID_STATE', message: 'This customer still has credit.' }],
    });
  });

  test('closes what is settled; it takes no charge until it is open again', async () => {
    const { id } = await create();
    expect(await close(id)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] }); // a prospect has nothing to close
    await activate(id);
    expect(await close(id)).toMatchObject({ customer: { status: 'CLOSED', version: 2 } });
    const charge = { customerId: id, description: 'Late', quantity: '1', unitPrice: '1', idempotencyKey: randomUUID() };
    const post =
      'mutation($input: PostChargeInput!) { postCharge(input: $input) { charge { id } userErrors { code } } }';
    expect(await ask(post, { input: charge })).toEqual({
      postCharge: { charge: null, userErrors: [{ code: 'INVALID_STATE' }] },
    });
    expect(await tell('reopenCustomer', 'ReopenCustomerInput', { customerId: id })).toMatchObject({
      customer: { status: 'ACTIVE' },
    });
    expect(await ask(post, { input: charge })).toMatchObject({ postCharge: { userErrors: [] } });
  });
});

describe('one wall', () => {
  const foreign = ['7019', '7078', '7001', '7041'].map(seeded);
  test("other tenants' customers look like ids that nothing has", async () => {
    for (const id of [...foreign, randomUUID(), 'nobody', '']) {
      expect(await ask('query($id: ID!) { customer(id: $id) { name } }', { id })).toEqual({ customer: null });
      const entities = await ask(
        'query($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { name balance { amountMinor } } } }',
        { r: [{ __typename: 'Customer', id }] },
      );
      expect(entities).toEqual({ _entities: [null] });
      const input = { customerId: id, expectedVersion: 1, name: 'Mine now' };
      expect((await tell('updateCustomer', 'UpdateCustomerInput', input)).userErrors).toEqual([
        { code: 'NOT_FOUND', field: 'customerId', message: 'There is no such customer.' },
      ]);
    }
  });

  test("no tenant's list holds another's canary", async () => {
    const { customers } = await ask<{ customers: unknown }>(
      '{ customers(first: 100) { nodes { name email billingAddress { line1 line2 } } } }',
    );
    expect(new Set(JSON.stringify(customers).match(/CANARY-[A-Z]+/g))).toEqual(new Set(['CANARY-NORTHWIND']));
  });

  test('a portal customer sees its own account and nobody else', async () => {
    expect(
      await ask(
        '{ myAccount { name balance { amountMinor } charges { nodes { description } } payments { nodes { id } } } }',
        {},
        lena,
      ),
    ).toEqual({
      myAccount: {
        name: 'Lena Spaet',
        balance: { amountMinor: '5937' },
        charges: { nodes: [{ description: 'TV' }, { description: 'Fibre 100' }] },
        payments: { nodes: [] },
      },
    });
    expect((await trial.ask('billing', lena, '{ customers { nodes { name } } }')).errors?.[0]?.extensions?.code).toBe(
      'FORBIDDEN',
    );
    expect(await ask('query($id: ID!) { customer(id: $id) { name } }', { id: seeded('7032') }, lena)).toEqual({
      customer: null,
    });
    const entities = await ask(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { name balance { amountMinor } charges { nodes { id } } } } }',
      { r: [{ __typename: 'Customer', id: seeded('7032') }] },
      lena,
    );
    expect(entities).toEqual({ _entities: [null] });
  });

  test('staff speaks for no customer', async () => {
    expect(await ask('{ myAccount { name } }')).toEqual({ myAccount: null });
  });

  test.each([
    ['mutation { createCustomer(input: {name: "X", kind: PERSON}) { customer { id } } }', ['technician']],
    [
      `mutation { postCharge(input: {customerId: "${seeded('7031')}", description: "X", quantity: "1", unitPrice: "1", idempotencyKey: "k"}) { charge { id } } }`,
      ['support_agent'],
    ],
    ['{ customers { nodes { payments { nodes { id } } } } }', ['technician']],
  ])('%s is forbidden to %j', async (query, roles) => {
    const { errors } = await trial.ask('billing', { tenant: 'northwind', roles }, query);
    expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });
});
