import { emit } from '../../../subgraphs/_kernel/events.ts';
import { registry } from '../../../subgraphs/_kernel/metrics.ts';
import { alertOfUnlicensed } from '../../../subgraphs/licensing/fleet/unlicensed.service.ts';
import { advanceLicenses, lapseLicenses } from '../../../subgraphs/licensing/sweeps.ts';
import { NGOZI } from '../../setup/world.ts';
import { eventsOf } from '../fleet/doors.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

describe('A licence that stays expired', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const fable = tenantId('fable');
  const DAY_MS = 86_400_000;
  const sweep = () => world.inTenant('platform', lapseLicenses);
  const license = async () =>
    (await world.ask({ tenant: 'fable', roles: ['tenant_admin'] }, '{ license { version state restrictedEndsAt } }'))
      .data.license;
  const clockTo = (instant: number) => {
    const offset = Math.ceil((instant - Date.now()) / 1_000);
    return world.sql(`select set_config('app.tenant_id', '${fable}', false);
      update tenancy.tenant set clock_offset_seconds = ${offset} where id = '${fable}';
      update kernel.tenant_profile set clock_offset_seconds = ${offset} where tenant_id = '${fable}'`);
  };
  const lapses = () => eventsOf(world, fable, 'licensing.license.lapsed');
  const ends = () => eventsOf(world, fable, 'licensing.license.ended');
  /** The version that said last that it has expired; that its tenant is suspended for it is another. */
  const expiry = async () =>
    (await eventsOf(world, fable, 'licensing.license.changed')).findLast(({ state }) => state === 'EXPIRED')?.version;

  test('lapses 30 days after it expired, which is told once, with the version that says so', async () => {
    const { restrictedEndsAt } = await license();
    const expired = new Date(restrictedEndsAt).getTime();
    await clockTo(expired + 30 * DAY_MS - 3_600_000 - 60_000);
    await sweep();
    expect(await lapses()).toEqual([]);
    await clockTo(expired + 30 * DAY_MS + 3_600_000);
    await sweep();
    await sweep();
    await world.inTenant('platform', advanceLicenses);
    await sweep();
    expect(await lapses()).toEqual([{ since: restrictedEndsAt }]);
    expect(await ends()).toEqual([{ version: await expiry(), reason: 'EXPIRED' }]);
    await world.world.untilNoJobs();
    expect((await license()).state).toBe('SUSPENDED'); // as its tenant is, for that
  });

  test('paid and expired another time, it lapses another time, and at once when its clock is moved', async () => {
    const { version } = await license();
    await world.sql(
      `select set_config('app.tenant_id', '${fable}', false); update licensing.license set paid_until = now() + interval '200 days' where tenant_id = '${fable}'`,
    );
    await world.ask(
      { tenant: 'platform', user: '6001', roles: ['platform_admin'] },
      `mutation { refreshLicense(input: { tenantId: "${fable}" }) { license { version } userErrors { code } } }`,
    );
    const { data } = await world.world.ask(
      NGOZI, // what is written past every door tells nobody that it was paid
      'tenancy',
      `mutation { reactivateTenant(input: { tenantId: "${fable}" }) { userErrors { code } } }`,
    );
    expect(data).toEqual({ reactivateTenant: { userErrors: [] } });
    await world.world.untilNoJobs();
    await clockTo(Date.now() + 120 * DAY_MS);
    expect((await license()).state).toBe('ACTIVE');
    await clockTo(Date.now() + 300 * DAY_MS);
    const ctx = await world.world.system('fable', 'tenancy');
    await ctx.tx(async (em) => void emit(em, 'tenancy.clock.advanced', { offsetSeconds: 300 * 86_400 }));
    await world.world.untilNoJobs();
    const { restrictedEndsAt } = await license();
    const now = await expiry();
    expect(await lapses()).toEqual([expect.anything(), { since: restrictedEndsAt }]);
    expect((await ends()).at(-1)).toEqual({ version: now, reason: 'EXPIRED' });
    expect(now).toBeGreaterThan(version);
  });

  test('and one that is held lapses underneath; one that is paid or endless does not', async () => {
    await sweep();
    expect(await eventsOf(world, tenantId('sable'), 'licensing.license.lapsed')).toHaveLength(1);
    for (const slug of ['kestrel', 'northwind', 'platform'] as const)
      expect(await eventsOf(world, tenantId(slug), 'licensing.license.lapsed')).toEqual([]);
  });

  test('a tenant without a licence for an hour is found, a new one not yet, and none that has one', async () => {
    const find = () => world.inTenant('platform', alertOfUnlicensed);
    expect(await find()).toEqual([]);
    await world.sql("update kernel.event set at = at - interval '1 hour' where tenant_id = any($1)", [
      [tenantId('oldtown'), tenantId('kestrel')],
    ]);
    expect(await find()).toEqual([tenantId('oldtown')]);
    expect(await registry.getSingleMetricAsString('dotmac_tenants_without_license')).toMatch(/ 1$/m);
  });
});
