import { type Asker, INGRID, NGOZI } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const EWA: Asker = { tenant: 'oldtown', user: '6061', roles: ['tenant_admin'] };
const BACKFILL = `mutation($first: Int) { backfillLicenses(input: { first: $first }) { licensed remaining userErrors { code message field } } }`;
const LICENSE = `{ license { version state autoRenew validUntil interval enabledFeatures planVersion { number plan { code } }
  overrides { key limit reason expiresAt } limits { key used limit source } } licenseHistory { nodes { version cause actor } } }`;

describe('Tenants that never had a licence get their first one', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  const backfill = async (first?: number, who: Asker = NGOZI): Promise<Answer> => {
    const { data, errors } = await world.ask(who, BACKFILL, first === undefined ? {} : { first });
    return errors ?? data.backfillLicenses;
  };

  /** Two operators at once call it until nobody is left. Returns how many got a licence. */
  const untilNoneRemains = async () => {
    for (let licensed = 0; ; ) {
      const both = await Promise.all([backfill(500), backfill(500)]);
      licensed += both.reduce((sum, one) => sum + one.licensed, 0);
      if (both.some(({ remaining }) => remaining === 0)) return licensed;
    }
  };

  test('oldtown gets professional for 30 days, without field operations, and may go on with what it has', async () => {
    expect(await backfill()).toEqual({ licensed: 1, remaining: 0, userErrors: [] });
    const { license, licenseHistory } = (await world.ask(EWA, LICENSE)).data;
    expect(license).toMatchObject({
      ...{ version: 1, state: 'ACTIVE', autoRenew: true, interval: 'MONTH' },
      ...{ planVersion: { number: 1, plan: { code: 'professional' } } },
      enabledFeatures: ['crm', 'tickets', 'projects', 'analytics', 'webhooks', 'api_keys'],
      overrides: [{ key: 'subscribers', limit: '5320', reason: 'In use before there was a licence.', expiresAt: null }],
    });
    expect(license.limits).toContainEqual({ key: 'subscribers', used: '5320', limit: '5320', source: 'OVERRIDE' });
    expect(license.limits).toContainEqual({ key: 'staff_users', used: '0', limit: '10', source: 'PLAN' });
    const days = (new Date(license.validUntil).getTime() - Date.now()) / 86_400_000;
    expect(Math.abs(days - 30)).toBeLessThan(0.05); // an hour when summer time begins or ends on the way
    expect(licenseHistory.nodes).toEqual([
      { version: 1, cause: 'BACKFILLED', actor: '01990000-0000-7000-8000-000000006001' },
    ]);
    const told = await world.sql(
      'select name, payload from kernel.event where tenant_id = $1 and name like $2 order by seq',
      [tenantId('oldtown'), 'licensing.license.%'],
    );
    expect(told.map(({ name }) => name)).toEqual(['licensing.license.changed', 'licensing.license.started']);
    expect(told[1].payload).toMatchObject({ version: 1, plan: 'professional', interval: 'MONTH', addOns: [] });
  });

  test('a second run changes nothing, for them and for everybody else', async () => {
    const everything = () =>
      world.sql('select tenant_id, version, paid_until from licensing.license order by tenant_id, id');
    const before = await everything();
    expect(await backfill(500)).toEqual({ licensed: 0, remaining: 0, userErrors: [] });
    expect(await everything()).toEqual(before);
  });

  test('many are done page by page, also by two who ask at once, each tenant once', async () => {
    await addTenants(60);
    const first = await backfill(20);
    expect(first).toEqual({ licensed: first.licensed, remaining: 60 - first.licensed, userErrors: [] });
    expect(first.licensed).toBeLessThanOrEqual(20);
    let licensed = first.licensed + (await untilNoneRemains());
    licensed += (await backfill()).licensed;
    expect(licensed).toBe(60);
    const [{ licenses, tenants, versions }] = await world.sql(
      `select count(*)::int as licenses, count(distinct tenant_id)::int as tenants, max(version) as versions
         from licensing.license where tenant_id::text like '01990000-0000-7000-8000-0000001%'`,
    );
    expect([licenses, tenants, versions]).toEqual([60, 60, 1]);
  });

  test('what was counted in a month that is over lifts nothing', async () => {
    const [id] = await addTenants(1, 900);
    for (const [key, kind, usedUp, end] of [
      ['tickets', 'COUNTER', 4_000, "now() - interval '1 day'"],
      ['api_calls', 'COUNTER', 600_000, "now() + interval '1 day'"],
      ['devices', 'GAUGE', 251, 'null'],
    ])
      await world.sql(
        `insert into kernel.quota (tenant_id, key, kind, "limit", policy, used, anchor_day, zone, period_start, period_end)
         values ($1, $2, $3, 0, 'HARD', $4, 1, 'UTC', now() - interval '30 days', ${end})`,
        [id, key, kind, usedUp],
      );
    await untilNoneRemains();
    expect(
      await world.sql('select key, "limit"::int from licensing.override where tenant_id = $1 order by key', [id]),
    ).toEqual([
      { key: 'api_calls', limit: 600_000 },
      { key: 'devices', limit: 251 },
    ]);
  });

  test('a number out of range is refused, and an ISP has no say in it', async () => {
    for (const first of [0, 501])
      expect(await backfill(first)).toEqual({
        ...{ licensed: null, remaining: null },
        userErrors: [{ code: 'INVALID', message: 'Between 1 and 500 at once.', field: 'first' }],
      });
    expect((await backfill(1, INGRID))[0].extensions.code).toBe('FORBIDDEN');
  });

  /** Registers tenants nobody has licensed. Returns their ids. */
  async function addTenants(count: number, from = 0): Promise<string[]> {
    const rows = await world.sql(
      `insert into kernel.tenant_profile (tenant_id, slug, kind, state, zone, currency, country)
       select ('01990000-0000-7000-8000-0000001' || lpad(i::text, 5, '0'))::uuid, 'old-' || i, 'PRODUCTION', 'ACTIVE', 'Europe/Warsaw', 'PLN', 'PL'
         from generate_series($1::int, $2::int) i returning tenant_id`,
      [from, from + count - 1],
    );
    return rows.map((row) => row.tenant_id);
  }
});
