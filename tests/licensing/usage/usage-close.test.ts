import { uuidv7 } from 'uuidv7';
import { Context } from '../../../subgraphs/_kernel/context.ts';
import { readEventsNamed } from '../../../subgraphs/_kernel/events.ts';
import { consume } from '../../../subgraphs/_kernel/quota.ts';
import type { SeedTenant } from '../../../subgraphs/_kernel/seed-world.ts';
import { setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { changing } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { closeAllUsage } from '../../../subgraphs/licensing/sweeps.ts';
import { Grant } from '../../../subgraphs/licensing/terms/grant.entity.ts';
import { ADA, EDDA, INGRID, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

describe('Use is closed by day and by period', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
    await sweep(); // days and periods of the example world begin
  });
  afterAll(() => world?.close());

  const sweep = () => world.inTenant('platform', closeAllUsage);
  const set = (tenant: SeedTenant, key: string, columns: string) =>
    world.sql(`update kernel.quota set ${columns} where tenant_id = $1 and key = $2`, [tenantId(tenant), key]);
  const rowOf = async (tenant: SeedTenant, key: string) => {
    const [row] = await world.sql(
      'select used::int, period_start, period_end, day::text as day from kernel.quota where tenant_id = $1 and key = $2',
      [tenantId(tenant), key],
    );
    return row;
  };
  const toldOf = (tenant: SeedTenant) =>
    world.inTenant(tenant, async (ctx) => {
      const events = await readEventsNamed(await ctx.em(), 'licensing.usage.reported', 0, 100);
      await ctx.end();
      return events.map(({ payload }) => payload).filter((told) => told.licensedTenantId === tenantId('northwind'));
    });
  const monthAgo = "period_start = now() - interval '40 days', period_end = now() - interval '1 minute'";

  test('billing is told once of a period’s overage, in the tenant’s log and the platform’s, whoever closed it', async () => {
    await set('northwind', 'api_calls', `used = 512345, ${monthAgo}`);
    await world.inTenant('northwind', (ctx) => ctx.tx((em) => consume(ctx, em, 'api_calls', 1n, 'first of the month')));
    expect(await toldOf('platform')).toEqual([]);
    for (let i = 0; i < 3; i++) await sweep();
    const [told, ...others] = await toldOf('platform');
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      ...{ key: 'api_calls', used: '512345', included: '500000', excess: '12345', currency: 'USD' },
      licensedTenantId: tenantId('northwind'),
    });
    expect(Number(told?.unitRate)).toBe(0.001);
    expect(await toldOf('northwind')).toEqual([told]);
    expect(await rowOf('northwind', 'api_calls')).toMatchObject({ used: 1 });
  });

  test('storage is counted in bytes and told in gigabytes, by its highest day; what is not over is told as nothing over', async () => {
    const before = (await toldOf('platform')).length;
    await set('northwind', 'storage_gb', `used = 7, highest_closing = 51500000000, ${monthAgo}`);
    await sweep();
    await set('northwind', 'storage_gb', `used = 70000000000, highest_closing = 7, ${monthAgo}`);
    await sweep();
    expect((await toldOf('platform')).slice(before)).toMatchObject([
      { key: 'storage_gb', used: '51.5', included: '50', excess: '1.5' },
      { key: 'storage_gb', used: '0.000000007', included: '50', excess: '0' },
    ]);
  });

  test('a period is charged by the limit that held in it, though the licence changed at its end', async () => {
    const before = (await toldOf('platform')).length;
    await set('northwind', 'api_calls', `used = 600000, ${monthAgo}`);
    const reason = 'More calls from now on.';
    await world.inTenant('northwind', (ctx) => setOverride(ctx, { key: 'api_calls', limit: 900_000n, reason }));
    await sweep();
    expect((await toldOf('platform')).slice(before)).toMatchObject([{ included: '500000', excess: '100000' }]);
  });

  test('a licence by the year counts by the month, from the anchor day', async () => {
    const { period_start: start, period_end: end } = await rowOf('atlas', 'tickets');
    const local = (at: Date) =>
      new Intl.DateTimeFormat('sv-SE', {
        timeZone: 'America/Sao_Paulo',
        dateStyle: 'short',
        timeStyle: 'medium',
      }).format(at);
    expect([local(start).slice(8), local(end).slice(8)]).toEqual(['15 00:00:00', '15 00:00:00']);
    expect((end.getTime() - start.getTime()) / 86_400_000).toBeLessThanOrEqual(31);
  });

  test('an upgrade moves neither anchor nor use', async () => {
    const before = await rowOf('kestrel', 'tickets');
    const { data } = await world.ask(
      WREN,
      'mutation { upgradeLicense(input: { newPlan: "professional", interval: MONTH, idempotencyKey: "up" }) { userErrors { message } } }',
    );
    expect(data.upgradeLicense.userErrors).toEqual([]);
    expect(await rowOf('kestrel', 'tickets')).toEqual(before);
  });

  test('a day is closed five minutes after local midnight, and its figures can be read', async () => {
    const [{ at }] = await world.sql(
      `select (date_trunc('day', now() at time zone 'Europe/Berlin') at time zone 'Europe/Berlin') as at`,
    );
    const day = "day = (now() at time zone 'Europe/Berlin')::date - 1, day_added = 9, day_peak = 30, used = 22";
    await set('northwind', 'devices', `${day}, day_ends_at = now() - interval '4 minutes'`);
    await sweep();
    const history = async (key = 'devices', who = INGRID, from = daysFrom(at, -3), to = daysFrom(at, 1)) =>
      world.ask(who, `{ usageHistory(key: "${key}", from: "${from}", to: "${to}") { date key added closing peak } }`);
    expect((await history()).data.usageHistory).toEqual([]);
    await set('northwind', 'devices', `day_ends_at = '${at.toISOString()}'`);
    await set('northwind', 'subscribers', `${day}, day_ends_at = now() - interval '6 minutes'`);
    await sweep();
    expect((await history()).data.usageHistory).toMatchObject([
      { key: 'devices', added: '9', closing: '22', peak: '30' },
    ]);
    expect((await history('devices', EDDA)).data.usageHistory).toHaveLength(1);
    expect((await history('devices', WREN)).data.usageHistory).toEqual([]);
    expect((await history('devices', ADA)).errors[0].extensions.code).toBe('FORBIDDEN');
    expect((await history('devices', INGRID, '2026-01-01', '2027-02-05')).errors[0]).toMatchObject({
      message: 'At most 400 days.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect((await history('devices', INGRID, '2026-01-02', '2026-01-01')).errors[0].extensions.code).toBe(
      'BAD_USER_INPUT',
    );
    expect((await history('device')).errors[0].message).toContain('Unknown quota: device.');
  });

  test('at night gauges are held against what there is, and a difference is mended', async () => {
    const [devices, staff] = [await rowOf('kestrel', 'devices'), await rowOf('kestrel', 'staff_users')];
    await set('kestrel', 'devices', "used = 20, day_ends_at = now() - interval '6 minutes'");
    await set('kestrel', 'staff_users', 'used = 1');
    await sweep();
    await world.world.untilNoJobs();
    expect([await rowOf('kestrel', 'devices'), await rowOf('kestrel', 'staff_users')]).toMatchObject([
      { used: devices.used },
      { used: staff.used },
    ]);
  });

  test('a platform whose own licence has changed often acts in a tenant whose licence has not', async () => {
    const { envelope, machinery } = await world.world.system('platform', 'licensing');
    const often = new Context({ ...envelope, licenseVersion: 99 }, machinery);
    await set('harbour', 'devices', "day_ends_at = now() - interval '6 minutes'");
    await closeAllUsage(often);
    const reason = 'Agreed with their sales.';
    await setOverride(often.inTenant(tenantId('harbour')), { key: 'devices', limit: 300n, reason });
    await often.end();
    const [row] = await world.sql(
      `select "limit"::int, day_ends_at > now() as is_closed from kernel.quota where tenant_id = $1 and key = 'devices'`,
      [tenantId('harbour')],
    );
    expect(row).toEqual({ limit: 300, is_closed: true });
  });

  test('receipts go when nobody can ask again', async () => {
    await world.sql(
      `insert into kernel.quota_receipt (tenant_id, key, once_key, request_hash, outcome, expires_at)
         select $1, 'tickets', 'old ' || n, 'h', '{}', now() + (n - 2) * interval '1 hour' from generate_series(1, 3) n`,
      [tenantId('kestrel')],
    );
    await set('kestrel', 'devices', "day_ends_at = now() - interval '6 minutes'");
    await sweep();
    const kept = await world.sql("select once_key from kernel.quota_receipt where once_key like 'old %' order by 1");
    expect(kept.map((row) => row.once_key)).toEqual(['old 3']);
  });

  test('a top-up is a version of the licence, burns after the allotment, and shows what is left of it', async () => {
    const id = uuidv7();
    const [startsAt, endsAt] = [new Date(Date.now() - 60_000), new Date(Date.now() + 86_400_000)];
    await set('kestrel', 'tickets', 'used = 998');
    const { change } = await world.inTenant('kestrel', (ctx) =>
      ctx.tx((em) =>
        changing(ctx, em, ({ license }) => {
          const grant = {
            id,
            licenseId: license.id,
            kind: 'TOP_UP',
            key: 'tickets',
            amount: 10n,
            remaining: 10n,
          } as const;
          const terms = { priority: 5, startsAt, expiresAt: endsAt, source: 'SUPPORT', rolloverMax: 4n } as const;
          em.persist(em.create(Grant, { ...grant, ...terms, reason: 'For the outage.' }));
          return { cause: 'GRANTED', reason: 'For the outage.' };
        }),
      ),
    );
    expect(change?.changedKeys).toEqual(['limits.tickets']);
    await world.inTenant('kestrel', (ctx) => ctx.tx((em) => consume(ctx, em, 'tickets', 5n, 'five')));
    const look =
      '{ license { grants { id amount remaining } } quotaUsage(keys: ["tickets"]) { used topUpRemaining overage } }';
    expect((await world.ask(WREN, look)).data).toEqual({
      license: { grants: [{ id, amount: '10', remaining: '7' }] },
      quotaUsage: [{ used: '1003', topUpRemaining: '7', overage: '0' }],
    });
    const reason = 'Another change, after which it is as it was.';
    await world.inTenant('kestrel', (ctx) => setOverride(ctx, { key: 'devices', limit: 500n, reason }));
    expect((await world.ask(WREN, look)).data.quotaUsage[0].topUpRemaining).toBe('7');
    await set(
      'kestrel',
      'tickets',
      "period_start = now() - interval '40 days', period_end = now() - interval '1 second'",
    );
    const begun = (await world.ask(WREN, look)).data.quotaUsage;
    await sweep();
    expect((await world.ask(WREN, look)).data.quotaUsage).toEqual(begun);
    expect(begun).toEqual([{ used: '0', topUpRemaining: '4', overage: '0' }]);
  });
});

const daysFrom = (at: Date, days: number) => new Date(at.getTime() + days * 86_400_000).toISOString().slice(0, 10);
