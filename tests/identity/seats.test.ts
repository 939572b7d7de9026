import { randomUUID } from 'node:crypto';
import type { Events } from '../../schema/events.ts';
import { emit } from '../../subgraphs/_kernel/events.ts';
import { type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { addMember, endMember, restoreMember, suspendMember } from '../../subgraphs/identity/membership.service.ts';
import { NGOZI, openWorld, type World } from '../setup/world.ts';
import { tenantId } from './trial.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

const idOf = (digits: string) => seedId(`${digits}0001`);
const [INGRID, JONAS, MIRA, EDDA] = [idOf('6021'), idOf('6022'), idOf('6023'), idOf('6024')];
const [NILS, SAMIRA, PIET, LOTTE] = [idOf('6025'), idOf('6026'), idOf('6027'), idOf('6028')];
const EVERYBODY = [INGRID, JONAS, MIRA, EDDA, NILS, SAMIRA, PIET, LOTTE];

const statesOf = async (slug: SeedTenant = 'northwind') => {
  const rows = await world.sql(
    "select id, state from identity.membership where kind = 'STAFF' and tenant_id = $1 order by id",
    [tenantId(slug)],
  );
  return (state: string) => rows.filter((row) => row.state === state).map((row) => row.id as string);
};
const frozen = async (slug?: SeedTenant) => (await statesOf(slug))('FROZEN');
const used = async () =>
  (
    await world.sql("select used::int from kernel.quota where key = 'staff_users' and tenant_id = $1", [
      tenantId('northwind'),
    ])
  )[0].used;
const versionOf = async (id: string) =>
  (await world.sql('select version from identity.membership where id = $1', [id]))[0].version as number;
const change = async (id: string) => ({ membershipId: id, expectedVersion: await versionOf(id) });
const admin = () => world.system('northwind', 'identity');

/** The platform makes an exception for a tenant's seats; returns when everybody has heard of it. */
async function seats(more: Record<string, unknown>, slug: SeedTenant = 'northwind'): Promise<void> {
  const { data, errors } = await world.ask(
    NGOZI,
    'licensing',
    'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
    { input: { tenantId: tenantId(slug), key: 'staff_users', reason: 'Agreed with their sales.', ...more } },
  );
  expect([errors, data?.setOverride]).toEqual([undefined, { userErrors: [] }]);
  await world.untilNoJobs();
}

/** Licensing's own words, as it would say them in a downgrade; the limit itself is as it is. */
async function hear(
  name: 'licensing.limit.reduced' | 'licensing.limit.raised' | 'licensing.license.started',
  said: { version: number; [more: string]: unknown },
) {
  const ctx = await admin();
  const payload = {
    key: 'staff_users' as const,
    from: '10',
    to: '2',
    treatment: 'FREEZE_EXCESS' as const,
    keepIds: [],
  };
  await ctx.tx(async (em) => void emit(em, name, { ...payload, ...said } as Events[typeof name]));
  await world.untilNoJobs();
}
const setLimit = (limit: number) =>
  world.sql(`update kernel.quota set "limit" = $2 where key = 'staff_users' and tenant_id = $1`, [
    tenantId('northwind'),
    limit,
  ]);

describe('A plan with fewer seats', () => {
  afterEach(() => seats({ isUnlimited: true }));

  test('freezes the newest, keeps their units, and gives all back as they were when the seats return', async () => {
    const before = await world.sql(
      'select id, roles, customer_id from identity.membership where tenant_id = $1 order by id',
      [tenantId('northwind')],
    );
    await seats({ limit: '5' });
    expect(await frozen()).toEqual([SAMIRA, PIET, LOTTE]);
    expect(await used()).toBe(8);
    await seats({ limit: '7' });
    expect(await frozen()).toEqual([LOTTE]);
    await seats({ limit: '10' });
    expect(await frozen()).toEqual([]);
    expect(await used()).toBe(8);
    expect(
      await world.sql('select id, roles, customer_id from identity.membership where tenant_id = $1 order by id', [
        tenantId('northwind'),
      ]),
    ).toEqual(before);
  });

  test('never freezes the last administrator, nor anybody in the portal or in another tenant', async () => {
    await seats({ limit: '0' });
    expect(await frozen()).toEqual(EVERYBODY.slice(1));
    const others = await world.sql(
      "select count(*)::int as n from identity.membership where state = 'FROZEN' and (kind = 'PORTAL' or tenant_id <> $1)",
      [tenantId('northwind')],
    );
    expect(others).toEqual([{ n: 0 }]);
  });

  test('tells the log of each, and the gateways', async () => {
    const seen = await world.sql("select coalesce(max(seq), 0)::int as seq from kernel.feed where name = 'grants'");
    await seats({ limit: '7' });
    const told = await world.sql(
      "select name, payload from kernel.event where tenant_id = $1 and name like 'identity.membership.%' order by seq desc limit 1",
      [tenantId('northwind')],
    );
    const version = await versionOf(LOTTE);
    const lotte = { membershipId: LOTTE, userId: seedId('6028'), kind: 'STAFF', roles: ['support_agent'] };
    expect(told).toEqual([
      { name: 'identity.membership.frozen', payload: { ...lotte, version, reason: 'LIMIT_REDUCED' } },
    ]);
    expect(
      await world.sql("select distinct subject from kernel.feed where name = 'grants' and seq > $1", [seen[0].seq]),
    ).toEqual([{ subject: `membership:${LOTTE}` }]);
    await seats({ limit: '8' });
    const [restored] = await world.sql(
      "select name, payload from kernel.event where tenant_id = $1 and name like 'identity.membership.%' order by seq desc limit 1",
      [tenantId('northwind')],
    );
    expect(restored).toEqual({ name: 'identity.membership.restored', payload: { ...lotte, version: version + 1 } });
  });

  test('adds nobody before fewer are there than it has seats for', async () => {
    await seats({ limit: '7' });
    const invite = async () =>
      addMember(await admin(), { id: randomUUID(), userId: seedId('6041'), kind: 'STAFF', roles: ['technician'] });
    await expect(invite()).rejects.toMatchObject({ extensions: { code: 'QUOTA_EXCEEDED', limit: '7', used: '8' } });
    await seats({ limit: '8' });
    await expect(invite()).rejects.toMatchObject({ extensions: { code: 'QUOTA_EXCEEDED', limit: '8', used: '8' } });
    await seats({ limit: '9' });
    const ninth = await invite();
    await endMember(await admin(), await change(ninth.id));
    expect(await used()).toBe(8);
  });

  test('is not there where the excess is paid for, or within a soft margin', async () => {
    await seats({ limit: '5', policy: 'OVERAGE' });
    expect(await frozen()).toEqual([]);
    await seats({ limit: '4', policy: 'SOFT', softMarginPercent: 50 });
    expect(await frozen()).toEqual([PIET, LOTTE]);
  });

  test('a frozen member is listed and can be let go, but not changed, suspended or restored', async () => {
    await seats({ limit: '7' });
    const ingrid = {
      caller: { kind: 'USER', id: seedId('6021') } as const,
      tenantId: tenantId('northwind'),
      membershipId: INGRID,
      strongAt: Math.floor(Date.now() / 1_000),
    };
    const { envelope } = await world.context({ tenant: 'northwind', roles: ['tenant_admin'] }, 'identity');
    const ask = async (query: string, variables = {}) =>
      world.subgraph('identity').execute(...world.signed({ ...envelope, ...ingrid }, 'identity', query, variables));
    expect(
      (await ask('{ members(filter: { state: FROZEN }) { nodes { id user { displayName isFormer } } } }')).data,
    ).toEqual({
      members: { nodes: [{ id: LOTTE, user: { displayName: 'Lotte Kern', isFormer: false } }] },
    });
    for (const [door, type, more] of [
      ['suspendMember', 'MemberInput', {}],
      ['restoreMember', 'MemberInput', {}],
      ['setMemberRoles', 'MemberRolesInput', { roles: ['sales'] }],
    ] as const) {
      const query = `mutation($input: ${type}!) { ${door}(input: $input) { membership { id } userErrors { code } } }`;
      const { data } = await ask(query, { input: { ...(await change(LOTTE)), ...more } });
      expect(data?.[door]).toEqual({ membership: null, userErrors: [{ code: 'INVALID_STATE' }] });
    }
  });
});

/** Said in licensing's place, with versions far ahead of the licence's own. */
describe('Who is kept', () => {
  let version = 1_000;
  const reduced = (said: object = {}) => hear('licensing.limit.reduced', { version: ++version, ...said });
  afterEach(async () => {
    await setLimit(10);
    await hear('licensing.limit.raised', { version: ++version });
    expect(await frozen()).toEqual([]);
  });
  afterAll(() => world.sql('delete from identity.seat_limit'));

  test('is who was named, then who is there longest', async () => {
    await setLimit(5);
    await reduced({ keepIds: [PIET, randomUUID(), 'junk'] });
    expect(await frozen()).toEqual([NILS, SAMIRA, LOTTE]);
  });

  test('is said by the newest reduction: older news that come late, or the same again, change nothing', async () => {
    await setLimit(5);
    await reduced({ keepIds: [PIET] });
    const newest = version;
    const versions = async () => Promise.all(EVERYBODY.map(versionOf));
    const before = await versions();
    for (const late of [newest - 1, newest]) await reduced({ version: late, keepIds: [LOTTE] });
    expect(await frozen()).toEqual([NILS, SAMIRA, LOTTE]);
    expect(await versions()).toEqual(before);
    await reduced({ keepIds: [LOTTE] });
    expect(await frozen()).toEqual([NILS, SAMIRA, PIET]);
  });

  test('is not said by another quota', async () => {
    await setLimit(5);
    await reduced({ key: 'webhook_endpoints' });
    expect(await frozen()).toEqual([]);
  });

  test('is decided by the limit as it is, whatever an event said it was', async () => {
    await setLimit(7);
    await reduced({ to: '1' });
    expect(await frozen()).toEqual([LOTTE]);
  });

  test('is decided anew when a licence with fewer seats follows one that was revoked', async () => {
    await setLimit(6);
    await hear('licensing.license.started', { version: ++version });
    expect(await frozen()).toEqual([PIET, LOTTE]);
  });
});

describe('A seat that becomes free', () => {
  afterEach(() => seats({ isUnlimited: true }));

  test('goes to the oldest frozen member when somebody leaves for good', async () => {
    await seats({ limit: '6' });
    expect(await frozen()).toEqual([PIET, LOTTE]);
    await endMember(await admin(), await change(NILS));
    expect(await frozen()).toEqual([LOTTE]);
    expect(await used()).toBe(7);
    await endMember(await admin(), await change(LOTTE));
    expect([await frozen(), await used()]).toEqual([[], 6]);
  });

  test('waits for a suspended member, until the plan gives it to somebody else', async () => {
    await seats({ limit: '5' });
    expect(await frozen()).toEqual([PIET]);
    await suspendMember(await admin(), await change(SAMIRA));
    expect(await frozen()).toEqual([PIET]);
    await restoreMember(await admin(), await change(SAMIRA));
    await suspendMember(await admin(), await change(SAMIRA));
    await seats({ limit: '4' });
    await seats({ limit: '5' });
    expect((await statesOf())('ACTIVE')).toEqual([INGRID, JONAS, MIRA, EDDA, PIET]);
    await expect(restoreMember(await admin(), await change(SAMIRA))).rejects.toMatchObject({
      extensions: { code: 'QUOTA_EXCEEDED', key: 'staff_users', limit: '5', used: '5' },
    });
    await seats({ limit: '6' });
    await restoreMember(await admin(), await change(SAMIRA));
    expect(await frozen()).toEqual([]);
  });
});

test('Two administrators and a plan of one seat that is cut while one ends the other: one of them works', async () => {
  const [bruno, lia] = [idOf('6071'), idOf('6072')];
  const ctx = () => world.system('atlas', 'identity');
  for (let round = 0; round < 4; round += 1) {
    await world.sql(`begin; select set_config('app.tenant_id', '${tenantId('atlas')}', true);
      update identity.membership set state = 'ACTIVE', ended_at = null, roles = '{tenant_admin}' where id in ('${bruno}', '${lia}'); commit`);
    const ended = round % 2 === 0 ? bruno : lia;
    const input = await change(ended);
    await Promise.allSettled([seats({ limit: '1' }, 'atlas'), endMember(await ctx(), input)]);
    await world.untilNoJobs();
    expect((await statesOf('atlas'))('ACTIVE')).toHaveLength(1);
    await seats({ isUnlimited: true }, 'atlas');
  }
});
