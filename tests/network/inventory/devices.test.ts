import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Caller, openTrial, type Trial } from '../../billing/trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const wren: Caller = { tenant: 'kestrel', roles: ['tenant_admin'] };
const jonas: Caller = { tenant: 'northwind', roles: ['network_engineer'] };
const seeded = (digits: string) => `01990000-0000-7000-8000-00000000${digits}`;

interface Answer {
  device: { id: string; name: string; lifecycle: string; mac: string | null; managementAddress: string | null } | null;
  userErrors: { code: string; field: string | null; message: string }[];
}
const TOLD = '{ device { id name lifecycle mac managementAddress site { name } } userErrors { code field message } }';
let count = 0;
const device = (over: Record<string, unknown> = {}) => {
  count += 1;
  return { name: `new-${count}`, kind: 'ROUTER', vendor: 'MikroTik', model: 'RB5009', serial: `NEW${count}`, ...over };
};
async function tell(door: string, input: Record<string, unknown>, who = wren) {
  const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
  const { data, errors } = await trial.ask(
    'network',
    who,
    `mutation($input: ${type}!) { ${door}(input: $input) ${TOLD} }`,
    { input },
  );
  return { ...((data?.[door] ?? { device: null, userErrors: [] }) as Answer), errors };
}
const register = (over: Record<string, unknown> = {}, who = wren) => tell('registerDevice', device(over), who);
const used = async (tenant: 'kestrel' | 'northwind') =>
  Number(
    (
      await trial.sql("select used from kernel.quota where key = 'devices' and tenant_id = $1", [
        trial.tenantId(tenant),
      ])
    )[0]?.used,
  );
const counted = async (tenant: 'kestrel' | 'northwind') =>
  Number(
    (
      await trial.sql(
        "select count(*) from network.device where tenant_id = $1 and lifecycle <> 'RETIRED' and kind in ('OLT', 'ROUTER', 'NAS', 'SWITCH', 'AP')",
        [trial.tenantId(tenant)],
      )
    )[0]?.count,
  );

describe('what the licence allows', () => {
  test('kestrel runs 22 of its 25 devices, northwind 20', async () => {
    expect([await used('kestrel'), await counted('kestrel')]).toEqual([22, 22]);
    expect([await used('northwind'), await counted('northwind')]).toEqual([20, 20]);
  });

  test('three more are taken; the 26th is refused and nothing is written; homes are free; retiring one frees one', async () => {
    for (let i = 0; i < 3; i += 1) expect((await register()).errors).toBeUndefined();
    const refused = await register({ name: 'the-26th' });
    expect(refused.device).toBeNull();
    expect(refused.errors).toMatchObject([
      {
        message: 'The plan allows 25 devices and 25 are in use.',
        extensions: { code: 'QUOTA_EXCEEDED', key: 'devices', limit: '25', used: '25' },
      },
    ]);
    expect(await trial.sql("select 1 from network.device where name = 'the-26th'")).toEqual([]);
    expect(
      await trial.sql(
        "select 1 from kernel.event where name = 'network.device.registered' and payload ->> 'deviceId' is null",
      ),
    ).toEqual([]);
    expect([await used('kestrel'), await counted('kestrel')]).toEqual([25, 25]);

    for (const kind of ['ONU', 'CPE', 'SPLITTER']) expect((await register({ kind })).errors).toBeUndefined();
    expect(await used('kestrel')).toBe(25);

    expect(await tell('retireDevice', { deviceId: seeded('4120') })).toMatchObject({
      device: { lifecycle: 'RETIRED' },
      userErrors: [],
    });
    expect(await used('kestrel')).toBe(24);
    expect((await register({ name: 'the-26th' })).device).toMatchObject({ lifecycle: 'PLANNED' });
    expect((await register()).errors?.[0]?.extensions?.code).toBe('QUOTA_EXCEEDED');
  });

  test('of thirty at once over the rest exactly the rest is taken', async () => {
    await trial.asService('network', 'northwind', `update kernel.quota set "limit" = 26 where key = 'devices'`);
    const answers = await Promise.all(Array.from({ length: 30 }, () => register({}, jonas)));
    const [taken, refused] = [answers.filter((a) => a.device), answers.filter((a) => !a.device)];
    expect(taken.length).toBeLessThanOrEqual(6);
    for (const { errors } of refused) expect(['QUOTA_EXCEEDED', 'OVERLOADED']).toContain(errors?.[0]?.extensions?.code);
    expect(await used('northwind')).toBe(20 + taken.length);
    expect(await counted('northwind')).toBe(20 + taken.length);
    await trial.asService('network', 'northwind', `update kernel.quota set "limit" = 250 where key = 'devices'`);
  });
});

describe('the life of a device', () => {
  test('is planned, commissioned, retired; each move is told once, any other refused', async () => {
    const { device: made } = await register({ kind: 'CPE' });
    const input = { deviceId: made?.id };
    expect((await tell('retireDevice', input)).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    expect(await tell('commissionDevice', input)).toMatchObject({ device: { lifecycle: 'IN_SERVICE' } });
    expect((await tell('commissionDevice', input)).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    expect(await tell('retireDevice', input)).toMatchObject({ device: { lifecycle: 'RETIRED' } });
    expect((await tell('retireDevice', input)).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    const told = await trial.sql("select name from kernel.event where payload ->> 'deviceId' = $1 order by seq", [
      made?.id,
    ]);
    expect(told.map((event) => event.name)).toEqual([
      'network.device.registered',
      'network.device.commissioned',
      'network.device.retired',
    ]);
  });

  test('only one of two who retire it at once does', async () => {
    const before = await used('kestrel');
    const answers = await Promise.all([1, 2].map(() => tell('retireDevice', { deviceId: seeded('4121') })));
    expect(answers.filter((a) => a.device)).toHaveLength(1);
    expect(await used('kestrel')).toBe(before - 1);
  });
});

describe('what is written down', () => {
  test('addresses come back in one form', async () => {
    const given = {
      kind: 'CPE',
      mac: 'AABB.CC00.1122',
      managementAddress: '2001:0DB8:0:0:0::7',
      siteId: seeded('4100'),
    };
    expect(await register(given)).toMatchObject({
      device: { mac: 'aa:bb:cc:00:11:22', managementAddress: '2001:db8::7', site: { name: 'Larimer' } },
    });
  });

  test('PostgreSQL reads every address as the same one we do', async () => {
    const texts = [...fc.sample(fc.ipV6(), 200), ...fc.sample(fc.ipV4(), 50)];
    const { canonicalAddress } = await import('../../../subgraphs/network/inventory/address.rules.ts');
    const rows = await trial.sql(
      'select bool_and(a::inet = b::inet) as is_same from unnest($1::text[], $2::text[]) as pair(a, b)',
      [texts, texts.map(canonicalAddress)],
    );
    expect(rows).toEqual([{ is_same: true }]);
  });

  test.each([
    [{ name: 'core-1' }, 'CONFLICT', 'name'],
    [{ vendor: 'Juniper', serial: 'JN1201' }, 'CONFLICT', 'serial'],
    [{ mac: 'aa:bb:cc:00:11' }, 'INVALID', 'mac'],
    [{ mac: '01:00:5e:00:00:01' }, 'INVALID', 'mac'],
    [{ name: '' }, 'INVALID', 'name'],
    [{ siteId: randomUUID() }, 'NOT_FOUND', 'siteId'],
    [{ siteId: seeded('4100') }, 'NOT_FOUND', 'siteId'],
    [{ siteId: 'nowhere' }, 'NOT_FOUND', 'siteId'],
  ])('%j is refused: %s', async (over, code, field) => {
    const before = await used('northwind');
    const refused = await register(over, jonas);
    expect(refused).toMatchObject({ device: null, userErrors: [{ code, field }] });
    expect(await used('northwind')).toBe(before);
  });

  test.each(['010.0.0.1', '192.0.2.300', 'fe80::1%eth0'])('%s is no address', async (managementAddress) => {
    expect((await register({ managementAddress })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('the name and serial of another tenant are free here', async () => {
    expect(await register({ kind: 'CPE', name: 'core-1', vendor: 'Juniper', serial: 'JN1201' })).toMatchObject({
      userErrors: [],
    });
  });
});

describe('lists', () => {
  const LIST =
    'query($filter: DeviceFilter, $first: Int!, $after: String) { devices(filter: $filter, first: $first, after: $after) { nodes { name site { name } } pageInfo { hasNextPage endCursor } } }';
  const atlas: Caller = { tenant: 'atlas', roles: ['tenant_admin'] };
  const list = async (variables: Record<string, unknown>) => {
    const { data, errors } = await trial.ask('network', atlas, LIST, { first: 25, ...variables });
    expect(errors).toBeUndefined();
    return (data as { devices: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } })
      .devices;
  };

  test.each([
    [{ kind: 'NAS' }, ['nas-1', 'nas-2']],
    [{ text: 'jn12' }, ['core-1', 'core-2']],
    [{ siteId: '01990000-0000-7000-8000-000000004401' }, ['agg-1', 'olt-1', 'onu-1', 'onu-2', 'onu-3']],
    [{ siteId: '01990000-0000-7000-8000-000000004201' }, []],
    [{ siteId: 'nowhere' }, []],
    [{ lifecycle: 'RETIRED' }, []],
  ])('%j finds %j', async (filter, names) => {
    expect((await list({ filter })).nodes.map(({ name }) => name)).toEqual(names);
  });

  test('come by name page by page, each once', async () => {
    const first = await list({ first: 20 });
    const second = await list({ first: 20, after: first.pageInfo.endCursor });
    const names = [...first.nodes, ...second.nodes].map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toHaveLength(23);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  test('a list with its sites costs two statements, however long it is', async () => {
    for (const first of [2, 23]) expect(await trial.statementsOf('network', () => list({ first }))).toHaveLength(2);
  });

  test("other tenants' devices and sites look like ids that nothing has", async () => {
    for (const id of [seeded('4220'), seeded('4200'), randomUUID(), 'x']) {
      const query = `query($id: ID!, $r: [_Any!]!) { device(id: $id) { name } site(id: $id) { name } _entities(representations: $r) { __typename } }`;
      const r = ['Device', 'Site'].map((__typename) => ({ __typename, id }));
      expect((await trial.ask('network', atlas, query, { id, r })).data).toEqual({
        device: null,
        site: null,
        _entities: [null, null],
      });
      for (const door of ['commissionDevice', 'retireDevice'])
        expect((await tell(door, { deviceId: id }, atlas)).userErrors).toEqual([
          { code: 'NOT_FOUND', field: 'deviceId', message: 'There is no such device.' },
        ]);
    }
  });

  test.each([
    [{ tenant: 'northwind', roles: ['sales'] }, '{ devices { nodes { id } } }'],
    [{ tenant: 'northwind', roles: ['customer'], customerId: seeded('7031') }, '{ devices { nodes { id } } }'],
    [
      { tenant: 'northwind', roles: ['support_agent'] },
      `mutation { retireDevice(input: { deviceId: "${seeded('4220')}" }) { device { id } } }`,
    ],
  ] as [Caller, string][])('%j may not: %s', async (who, query) => {
    expect((await trial.ask('network', who, query)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  });
});
