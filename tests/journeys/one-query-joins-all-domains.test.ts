import { openGatewayWorld } from '../setup/gateway.ts';
import { graphql } from '../setup/graphql/gql.ts';

const CUSTOMER = graphql(`
  query CustomerAtAGlance($id: ID!) {
    customer(id: $id) {
      name
      balance { amountMinor currency }
      services(first: 10) { nodes { number status plan { code } } }
      openTicketCount
      tickets(first: 10) { nodes { number subject status assignee { displayName } } }
      contacts { displayName }
    }
    tenant { name license { state planVersion { plan { code } } } members(first: 3) { nodes { user { displayName } } } }
  }
`);

/** Lena Spaet, the late payer. */
const LENA = '01990000-0000-7000-8000-000000007031';

describe('One query joins every domain', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  beforeAll(async () => {
    running = await openGatewayWorld();
  }, 60_000);
  afterAll(() => running?.close());

  test('a customer with balance, services, open tickets and contacts, beside the tenant’s licence', async () => {
    const ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
    const { status, data, errors } = await ingrid.ask(CUSTOMER, { id: LENA });
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(data?.customer).toMatchObject({ name: 'Lena Spaet', balance: { amountMinor: '5937', currency: 'EUR' } });
    expect(data?.customer?.services?.nodes.map(({ plan }) => plan.code)).toEqual(
      expect.arrayContaining(['fibre100', 'tv']),
    );
    expect(data?.customer?.tickets?.nodes.length).toBeGreaterThan(0);
    expect(data?.customer?.contacts?.map((contact) => contact.displayName)).toContain('Lena Spaet');
    expect(data?.tenant).toMatchObject({
      name: 'Northwind Fibre',
      license: { state: 'ACTIVE', planVersion: { plan: { code: 'professional' } } },
    });
    expect(data?.tenant?.members?.nodes.length).toBe(3);
  });

  test('another tenant’s customer is as if it did not exist', async () => {
    const bruno = await running.client.signIn('bruno@atlas.example', running.password);
    const foreign = await bruno.ask(CUSTOMER, { id: LENA });
    const random = await bruno.ask(CUSTOMER, { id: '01990000-0000-7000-8000-00000000dead' });
    expect(foreign.data?.customer).toBeNull();
    expect({ ...foreign, headers: undefined }).toEqual({ ...random, headers: undefined });
  });
});
