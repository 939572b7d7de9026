import { randomUUID } from 'node:crypto';
import { type Caller, openTrial, type Trial } from '../../billing/trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const seeded = (digits: string) => `01990000-0000-7000-8000-00000000${digits}`;
const [LENA, MARA] = [seeded('7031'), seeded('7032')];
const ingrid: Caller = { tenant: 'northwind', roles: ['tenant_admin'] };
const lena: Caller = { tenant: 'northwind', roles: ['customer'], customerId: LENA };

async function ask<T>(query: string, variables: Record<string, unknown> = {}, who = ingrid): Promise<T> {
  const { data, errors } = await trial.ask('network', who, query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}
interface Answer {
  service: { id: string; number: string; status: string; version: number } | null;
  userErrors: { code: string; field: string | null; message: string }[];
}
const premises = {
  address: { line1: 'Gartenstraße 9', city: 'Berlin', country: 'DE' },
  point: { longitude: 13.39, latitude: 52.53 },
};
const wanted = (over: Record<string, unknown> = {}) => ({
  customerId: LENA,
  planCode: 'voice',
  premises,
  idempotencyKey: randomUUID(),
  ...over,
});
async function tell(door: string, input: Record<string, unknown>, who = ingrid): Promise<Answer> {
  const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { service { id number status version } userErrors { code field message } } }`;
  return (await ask<Record<string, Answer>>(query, { input }, who))[door] as Answer;
}
const SERVICES =
  'query($r: [_Any!]!, $first: Int, $after: String) { _entities(representations: $r) { ... on Customer { services(first: $first, after: $after) { nodes { number status plan { code } customer { id } } pageInfo { hasNextPage endCursor } } } } }';
const customers = (...ids: string[]) => ids.map((id) => ({ __typename: 'Customer', id }));
interface Services {
  _entities: {
    services: {
      nodes: { number: string; plan: { code: string } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  }[];
}

describe("a customer's services", () => {
  test('Lena Spaet has Fibre 100 and TV, Marcus Tran Air 50', async () => {
    const of = async (id: string, who: Caller) => {
      const { _entities } = await ask<Services>(SERVICES, { first: 25, r: customers(id) }, who);
      return _entities[0]?.services.nodes.map(({ plan }) => plan.code);
    };
    expect(await of(LENA, ingrid)).toEqual(['fibre100', 'tv']);
    expect(await of(seeded('7019'), { tenant: 'kestrel' })).toEqual(['air50']);
  });

  test('come in one statement for any list of customers, their plans in one more', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => seeded(String(7031 + i)));
    for (const few of [ids.slice(0, 1), ids]) {
      const statements = await trial.statementsOf('network', () => ask(SERVICES, { first: 3, r: customers(...few) }));
      expect(statements).toHaveLength(2);
    }
  });

  test('come page by page, every customer from its own cursor', async () => {
    const first = await ask<Services>(SERVICES, { first: 1, r: customers(LENA, MARA) });
    expect(first._entities.map(({ services }) => [services.nodes.length, services.pageInfo.hasNextPage])).toEqual([
      [1, true],
      [1, false],
    ]);
    const after = first._entities[0]?.services.pageInfo.endCursor;
    const statements = await trial.statementsOf('network', async () => {
      const second = await ask<Services>(SERVICES, { first: 1, after, r: customers(LENA) });
      expect(second._entities[0]?.services.nodes.map(({ plan }) => plan.code)).toEqual(['tv']);
    });
    expect(statements).toHaveLength(2);
  });

  test('of other tenants are none, as those of customers that never were', async () => {
    const { _entities } = await ask<Services>(SERVICES, {
      first: 5,
      r: customers(seeded('7019'), seeded('7078'), randomUUID(), 'x'),
    });
    expect(_entities.map(({ services }) => services.nodes)).toEqual([[], [], [], []]);
  });

  test('are refused over the cap', async () => {
    const { errors } = await trial.ask('network', ingrid, SERVICES, { first: 101, r: customers(LENA) });
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });
});

describe('asking for a service', () => {
  test('gives the next number and waits to be built; the same key is the same service', async () => {
    const input = wanted();
    const { service } = await tell('requestService', input);
    expect(service).toMatchObject({ status: 'REQUESTED', version: 1 });
    expect(service?.number).toMatch(/^SVC-0000\d\d$/);
    expect((await tell('requestService', input)).service?.id).toBe(service?.id);
    expect((await tell('requestService', { ...input, planCode: 'tv' })).userErrors).toMatchObject([
      { code: 'IDEMPOTENCY_MISMATCH' },
    ]);
    const told = await trial.sql(
      "select payload from kernel.event where name = 'network.service.requested' and payload ->> 'serviceId' = $1",
      [service?.id],
    );
    expect(told.map((event) => event.payload)).toEqual([
      { serviceId: service?.id, customerId: LENA, planCode: 'voice', technology: 'FIBRE', version: 1 },
    ]);
  });

  test.each([
    [{ planCode: 'air50' }, 'NOT_FOUND', 'planCode'],
    [{ customerId: 'nobody' }, 'NOT_FOUND', 'customerId'],
    [{ premises: { address: { line1: ' ', city: 'Berlin', country: 'DE' } } }, 'INVALID', 'premises.address'],
    [{ premises: { ...premises, point: { longitude: 13, latitude: 95 } } }, 'INVALID', 'premises.point'],
    [{ idempotencyKey: '' }, 'INVALID', 'idempotencyKey'],
  ])('with %j is refused: %s', async (over, code, field) => {
    expect(await tell('requestService', wanted(over))).toMatchObject({ service: null, userErrors: [{ code, field }] });
  });

  test('it is withdrawn as long as it has not begun, whatever the state of the licence', async () => {
    const { service } = await tell('requestService', wanted());
    const input = { serviceId: service?.id, idempotencyKey: randomUUID() };
    const cancelled = await tell('cancelService', input, { ...ingrid, core: 'READ' });
    expect(cancelled).toMatchObject({ service: { status: 'CANCELLED', version: 2 } });
    expect(await tell('cancelService', input)).toMatchObject({ service: { status: 'CANCELLED', version: 2 } });
    expect((await tell('cancelService', { ...input, idempotencyKey: 'again' })).userErrors).toMatchObject([
      { code: 'INVALID_STATE' },
    ]);
    const [onLine] = (
      await ask<{ services: { nodes: { id: string }[] } }>('{ services(filter: { status: ACTIVE }) { nodes { id } } }')
    ).services.nodes;
    expect(
      (await tell('cancelService', { serviceId: onLine?.id, idempotencyKey: 'on line' })).userErrors,
    ).toMatchObject([{ code: 'INVALID_STATE', message: 'A service that is ACTIVE cannot become CANCELLED.' }]);
  });

  test('is closed from licence state RESTRICTED on', async () => {
    const query = 'mutation($input: RequestServiceInput!) { requestService(input: $input) { service { id } } }';
    const { errors } = await trial.ask('network', { ...ingrid, core: 'READ' }, query, { input: wanted() });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
  });
});

describe('service plans', () => {
  const publish = (input: Record<string, unknown>) =>
    ask<{ publishServicePlan: { servicePlan: { id: string; number: number } | null; userErrors: { code: string }[] } }>(
      'mutation($input: PublishServicePlanInput!) { publishServicePlan(input: $input) { servicePlan { id number state } userErrors { code field } } }',
      { input: { kind: 'INTERNET', technology: 'FIBRE', downKbps: 1000, upKbps: 1000, ...input } },
    ).then((data) => data.publishServicePlan);

  test('a change is a new number; services keep what they were sold on', async () => {
    const first = await publish({ code: 'village' });
    const { service } = await tell('requestService', wanted({ planCode: 'village' }));
    const second = await publish({ code: 'village', downKbps: 2000 });
    expect([first.servicePlan?.number, second.servicePlan?.number]).toEqual([1, 2]);
    const data = await ask(
      'query($id: ID!) { service(id: $id) { plan { number downKbps } } servicePlan(code: "village") { number downKbps } }',
      { id: service?.id },
    );
    expect(data).toEqual({
      service: { plan: { number: 1, downKbps: 1000 } },
      servicePlan: { number: 2, downKbps: 2000 },
    });
  });

  test('what is published is frozen, even for who writes into the database', async () => {
    const { servicePlan } = await publish({ code: 'frozen' });
    const edit = `update network.service_plan set down_kbps = 5 where id = '${servicePlan?.id}'`;
    await expect(trial.asService('network', 'northwind', edit)).rejects.toThrow('a published plan is frozen');
    await expect(trial.asService('network', 'northwind', 'delete from network.service_plan')).rejects.toThrow(
      'permission denied',
    );
  });

  test('a retired plan is not sold, and customers no longer see it', async () => {
    const { servicePlan } = await publish({ code: 'old' });
    const retire =
      'mutation($id: ID!) { retireServicePlan(input: { servicePlanId: $id }) { servicePlan { state } userErrors { code } } }';
    expect(await ask(retire, { id: servicePlan?.id })).toMatchObject({
      retireServicePlan: { servicePlan: { state: 'RETIRED' } },
    });
    expect(await ask(retire, { id: servicePlan?.id })).toMatchObject({
      retireServicePlan: { userErrors: [{ code: 'INVALID_STATE' }] },
    });
    expect((await tell('requestService', wanted({ planCode: 'old' }))).userErrors).toMatchObject([
      { code: 'INVALID_STATE', field: 'planCode' },
    ]);
    const query = '{ servicePlan(code: "old") { code } servicePlans(state: RETIRED) { nodes { code } } }';
    expect(await ask(query)).toEqual({ servicePlan: { code: 'old' }, servicePlans: { nodes: [{ code: 'old' }] } });
    expect(await ask(query, {}, lena)).toEqual({ servicePlan: null, servicePlans: { nodes: [] } });
  });

  test('come by code and number page by page', async () => {
    const page =
      'query($after: String) { servicePlans(first: 2, after: $after) { nodes { code } pageInfo { endCursor } } }';
    interface Page {
      servicePlans: { nodes: { code: string }[]; pageInfo: { endCursor: string } };
    }
    const kestrel: Caller = { tenant: 'atlas' };
    const first = await ask<Page>(page, {}, kestrel);
    const second = await ask<Page>(page, { after: first.servicePlans.pageInfo.endCursor }, kestrel);
    expect([...first.servicePlans.nodes, ...second.servicePlans.nodes].map(({ code }) => code)).toEqual([
      'fibre100',
      'fibre1000',
      'fibre500',
      'tv',
    ]);
  });
});

describe('one wall', () => {
  test("other tenants' services and plans look like ids that nothing has", async () => {
    const foreign = await trial.sql('select id from network.service where tenant_id = $1', [trial.tenantId('atlas')]);
    for (const id of [...foreign.map((row) => row.id), randomUUID(), 'x']) {
      const r = ['Service', 'ServicePlan'].map((__typename) => ({ __typename, id }));
      const data = await ask(
        'query($id: ID!, $r: [_Any!]!) { service(id: $id) { number } services(filter: { customerId: $id }) { nodes { id } } _entities(representations: $r) { __typename } }',
        { id, r },
      );
      expect(data).toEqual({ service: null, services: { nodes: [] }, _entities: [null, null] });
      expect((await tell('cancelService', { serviceId: id, idempotencyKey: randomUUID() })).userErrors).toMatchObject([
        { code: 'NOT_FOUND' },
      ]);
    }
  });

  test('a portal customer sees its own services and nobody else’s', async () => {
    const { services } = await ask<{ services: { nodes: { id: string; customer: { id: string } }[] } }>(
      '{ services { nodes { id customer { id } } } }',
      {},
      lena,
    );
    expect(services.nodes.length).toBeGreaterThanOrEqual(2);
    expect(new Set(services.nodes.map(({ customer }) => customer.id))).toEqual(new Set([LENA]));
    expect(
      await ask('query($id: ID!) { services(filter: { customerId: $id }) { nodes { id } } }', { id: MARA }, lena),
    ).toEqual({ services: { nodes: [] } });
    const { _entities } = await ask<Services>(SERVICES, { first: 5, r: customers(MARA) }, lena);
    expect(_entities[0]?.services.nodes).toEqual([]);
  });

  test('who holds no permission and speaks for nobody is refused', async () => {
    for (const query of [
      '{ services { nodes { id } } }',
      '{ servicePlans { nodes { id } } }',
      '{ sites { nodes { id } } }',
    ])
      expect(
        (await trial.ask('network', { tenant: 'northwind', roles: [] }, query)).errors?.[0]?.extensions?.code,
      ).toBe('FORBIDDEN');
  });

  test("no tenant's services hold another's canary", async () => {
    const data = await ask(
      '{ services(first: 100) { nodes { premises { address { line1 line2 } } } } sites(first: 100) { nodes { address { line2 } } } }',
    );
    expect(new Set(JSON.stringify(data).match(/CANARY-[A-Z]+/g))).toEqual(new Set(['CANARY-NORTHWIND']));
  });
});
