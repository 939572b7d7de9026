import { consume } from '../../../subgraphs/_kernel/quota.ts';
import type { SeedTenant } from '../../../subgraphs/_kernel/seed-world.ts';
import { removeOverride, setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { withdrawProvisionedLicense } from '../../../subgraphs/licensing/fleet/provisioning.service.ts';
import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { closeAllUsage } from '../../../subgraphs/licensing/sweeps.ts';
import { type Asker, INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { filesIn, payloadOf } from '../files/files-world.ts';
import { call, eventsOf, TOMAS } from '../fleet/doors.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const reason = 'Agreed with their sales.';
const FEN: Asker = { tenant: 'fable', user: '6081', roles: ['tenant_admin'] };
const LOOK = `{ quotaUsage(keys: ["tickets"]) { limit policy used percent periodEnd next { from limit policy unitRate } } }`;

describe('A counter that is allowed less goes on as it was until its period ends', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
    await world.inTenant('platform', closeAllUsage); // days and periods of the example world begin
  });
  afterAll(() => world?.close());

  const limit = (tenant: SeedTenant, most: bigint, key = 'tickets') =>
    world.inTenant(tenant, (ctx) => setOverride(ctx, { key, limit: most, reason }));
  const lift = (tenant: SeedTenant, key = 'tickets') =>
    world.inTenant(tenant, (ctx) => removeOverride(ctx, key, reason));
  const use = (tenant: SeedTenant, amount: bigint, key: 'tickets' | 'api_calls' = 'tickets') =>
    world.inTenant(tenant, (ctx) => ctx.tx((em) => consume(ctx, em, key, amount, `${Math.random()}`)));
  const set = (tenant: SeedTenant, columns: string, key = 'tickets') =>
    world.sql(`update kernel.quota set ${columns} where tenant_id = $1 and key = $2`, [tenantId(tenant), key]);
  const rowOf = async (tenant: SeedTenant, key = 'tickets') => {
    const [row] = await world.sql(
      'select "limit"::int, policy, used::int, next, period_start, period_end from kernel.quota where tenant_id = $1 and key = $2',
      [tenantId(tenant), key],
    );
    return row;
  };
  const monthAgo = "period_start = now() - interval '40 days', period_end = now() - interval '1 minute'";
  const usage = async (who = WREN) => (await world.ask(who, LOOK)).data.quotaUsage[0];
  const digits = (most: number) => ({ limit: String(most), policy: 'HARD', unitRate: null });

  test('what holds and what will is shown, the event says when, and use passes up to the former limit', async () => {
    const { periodEnd } = await usage();
    await limit('kestrel', 80n);
    expect(await usage()).toEqual({
      ...{ limit: '100', policy: 'HARD', used: '79', percent: 79, periodEnd },
      next: { from: periodEnd, ...digits(80) },
    });
    expect((await eventsOf(world, tenantId('kestrel'), 'licensing.limit.reduced')).at(-1)).toMatchObject({
      ...{ key: 'tickets', from: '100', to: '80', treatment: 'NEXT_PERIOD' },
    });
    await use('kestrel', 11n);
    await expect(use('kestrel', 11n)).rejects.toMatchObject({ extensions: { limit: '100', used: '90' } });
  });

  test('lowered once more the lower waits; a refresh changes nothing; lifted, it is as if nothing had been', async () => {
    const before = await rowOf('kestrel');
    await limit('kestrel', 50n);
    expect((await usage()).next).toMatchObject(digits(50));
    await call(world, 'refreshLicense', { tenantId: tenantId('kestrel') });
    expect(await usage()).toMatchObject({ limit: '100', next: digits(50) });
    await limit('kestrel', 70n); // more than was said, less than what holds
    expect(await usage()).toMatchObject({ limit: '100', next: digits(70) });
    await lift('kestrel');
    expect(await rowOf('kestrel')).toEqual({ ...before, next: null });
    await limit('kestrel', 60n);
    await limit('kestrel', 120n);
    expect(await usage()).toMatchObject({ limit: '120', next: null });
    await lift('kestrel');
    expect(await usage()).toMatchObject({ limit: '120', next: digits(100) });
  });

  test('a licence file says the same, over time', async () => {
    await limit('kestrel', 40n);
    const { limit: now, next } = await usage();
    const { course } = payloadOf((await filesIn(world).issue(WREN, { ttlHours: 720 })).jws);
    const at = (instant: string) =>
      course.findLast(({ from }: { from: string }) => from <= instant)?.limits.tickets?.limit;
    expect([at(new Date(Date.parse(next.from) - 1).toISOString()), at(next.from)]).toEqual([now, next.limit]);
  });

  test('whoever uses it first after the reset goes by the lower limit', async () => {
    await limit('kestrel', 2n);
    await set('kestrel', monthAgo);
    expect(await usage()).toMatchObject({ limit: '2', used: '0', next: null }); // nobody has used it yet
    await use('kestrel', 2n);
    await expect(use('kestrel', 1n)).rejects.toMatchObject({ extensions: { limit: '2', used: '2' } });
    expect(await rowOf('kestrel')).toMatchObject({ limit: 2, used: 2, next: null });
    await lift('kestrel');
    expect(await usage()).toMatchObject({ limit: '100', used: '2', next: null });
  });

  test('a period is charged by what it went by: less that is free of charge counts from the next one', async () => {
    await set('northwind', 'used = 512345', 'api_calls');
    await limit('northwind', 100_000n, 'api_calls');
    expect(await rowOf('northwind', 'api_calls')).toMatchObject({ limit: 500_000, policy: 'OVERAGE' });
    await set('northwind', monthAgo, 'api_calls');
    await use('northwind', 1n, 'api_calls');
    await world.inTenant('platform', closeAllUsage);
    const [told] = (await eventsOf(world, tenantId('northwind'), 'licensing.usage.reported')).slice(-1);
    expect(told).toMatchObject({ used: '512345', included: '500000', excess: '12345' });
    expect(await rowOf('northwind', 'api_calls')).toMatchObject({ limit: 100_000, used: 1, next: null });
  });

  test('a limit that time alone ends waits as well', async () => {
    await world.inTenant('harbour', async (ctx) => {
      await ctx.em();
      const expiresAt = new Date(ctx.now().getTime() + 1_000);
      await setOverride(ctx, { key: 'tickets', limit: 5_000n, expiresAt, reason });
    });
    for (const until = Date.now() + 20_000; !(await rowOf('harbour')).next && Date.now() < until; )
      await new Promise((done) => setTimeout(done, 100));
    expect(await rowOf('harbour')).toMatchObject({ limit: 5_000, next: { limit: '1000' } });
  });

  test('a limit where there was none waits', async () => {
    await limit('atlas', 9n, 'api_calls');
    expect(await rowOf('atlas', 'api_calls')).toMatchObject({ limit: null, next: { limit: '9' } });
  });

  test('a gauge holds at once', async () => {
    await limit('kestrel', 20n, 'devices');
    expect(await rowOf('kestrel', 'devices')).toMatchObject({ limit: 20, next: null });
    await lift('kestrel', 'devices');
  });

  test('a downgrade at the end of a period holds in the period that begins then, however late it is written down', async () => {
    const monthEnd = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1, 1));
    const paid = 'paid_until = ?, granted_until = ?, asked_until = ?, trial_ends_at = null';
    await world.inTenant('fable', (ctx) =>
      ctx.tx((em) =>
        em.execute(`update licensing.license set ${paid}, anchor_day = 1, zone = 'UTC'`, [
          monthEnd,
          monthEnd,
          monthEnd,
        ]),
      ),
    );
    await set('fable', `anchor_day = 1, zone = 'UTC', period_end = '${monthEnd.toISOString()}', used = 400`);
    await world.inTenant('fable', advanceLicense);
    const change = { plan: 'starter' };
    const seen = await world.ask(
      FEN,
      'query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) { hash pricedAt reducedLimits { key treatment } } }',
      { input: change },
    );
    const { hash, pricedAt, reducedLimits } = seen.data.previewLicenseChange;
    expect(reducedLimits).toContainEqual({ key: 'tickets', treatment: 'NEXT_PERIOD' });
    const input = { change, pricedAt, previewHash: hash, idempotencyKey: 'down' };
    const done = await world.ask(
      FEN,
      'mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) { userErrors { message } } }',
      { input },
    );
    expect(done.data.changeLicense.userErrors).toEqual([]);
    expect(await rowOf('fable')).toMatchObject({ limit: 1_000, next: null });
    await world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
      Math.ceil((monthEnd.getTime() - Date.now()) / 1_000) + 86_400,
      tenantId('fable'),
    ]);
    await use('fable', 3n); // somebody begins the new period before the change is written down
    expect(await rowOf('fable')).toMatchObject({ used: 3, period_start: monthEnd });
    await world.inTenant('fable', advanceLicense);
    expect(await rowOf('fable')).toMatchObject({ limit: 100, used: 3, next: null });
  });

  test('what closes the licence closes at once: a counter that waits opens no door', async () => {
    await limit('northwind', 10n);
    expect(await rowOf('northwind')).toMatchObject({ limit: 1_000, next: { limit: '10' } });
    const id = tenantId('northwind');
    await call(world, 'placeLicenseHold', { tenantId: id, kind: 'OPERATOR', level: 'RESTRICTED', reason });
    const refused = await world.ask(
      INGRID,
      'mutation { consumeUsage(input: { key: "tickets", amount: "1", idempotencyKey: "k" }) { used userErrors { message } } }',
    );
    expect(refused.errors?.[0].extensions ?? refused.data.consumeUsage).toMatchObject({ feature: 'core' });
    expect(await rowOf('northwind')).toMatchObject({ limit: 1_000, next: { limit: '10' } });
  });

  test('a revoked licence lets nothing wait, and the one issued after it begins with its own limits', async () => {
    const id = tenantId('northwind');
    for (const who of [NGOZI, TOMAS]) await call(world, 'revokeLicense', { tenantId: id, reason }, who);
    expect(await rowOf('northwind')).toMatchObject({ limit: 10, next: null });
    await set('northwind', 'used = 300');
    const asked = { tenantId: id, plan: 'starter', interval: 'MONTH', isTrial: false, idempotencyKey: 'again' };
    expect((await call(world, 'issueLicense', asked)).userErrors).toEqual([]);
    expect(await rowOf('northwind')).toMatchObject({ limit: 100, used: 300, next: null });
    await expect(use('northwind', 1n)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  test('a licence that is withdrawn leaves no room, now or later', async () => {
    const runId = '01990000-0000-7000-8000-00000000beef';
    await world.inTenant('harbour', (ctx) =>
      ctx.tx((em) => em.execute('update licensing.license set run_id = ?', [runId])),
    );
    expect((await rowOf('harbour')).next).not.toBeNull();
    await world.inTenant('harbour', (ctx) => withdrawProvisionedLicense(ctx, { runId, step: 'license' }));
    expect(await rowOf('harbour')).toMatchObject({ limit: 0, policy: 'HARD', next: null });
    await expect(use('harbour', 1n)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });
});
