import { setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FABLE = tenantId('fable');

describe('What time makes of a licence is written down at its instant', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const version = async () =>
    (await world.sql('select version from licensing.license where tenant_id = $1', [FABLE]))[0].version as number;
  const limit = async () =>
    (await world.sql('select "limit" from kernel.quota where tenant_id = $1 and key = \'devices\'', [FABLE]))[0].limit;
  const timers = () =>
    world.sql(
      "select run_at from graphile_worker.jobs where task_identifier = 'licensing.advanceLicense' and key like '%' || $1",
      [FABLE],
    );

  test('a limit that was raised for a second and a half is back by itself, once', async () => {
    const before = await limit();
    await world.inTenant('fable', async (ctx) => {
      await ctx.em();
      const expiresAt = new Date(ctx.now().getTime() + 1_500);
      await setOverride(ctx, { key: 'devices', limit: 999n, expiresAt, reason: 'For a moment only.' });
    });
    expect(await limit()).toBe('999');
    const raised = await version();
    for (const until = Date.now() + 20_000; (await limit()) !== before && Date.now() < until; )
      await new Promise((done) => setTimeout(done, 100));
    expect(await limit()).toBe(before);
    expect(await version()).toBe(raised + 1);
  });

  test('a sandbox’s timer follows its clock: it comes as much earlier as the clock was moved', async () => {
    const [{ run_at: before }] = await timers();
    await world.sql('update kernel.tenant_profile set clock_offset_seconds = 3600 where tenant_id = $1', [FABLE]);
    await world.inTenant('fable', (ctx) => advanceLicense(ctx));
    const [{ run_at: after }, ...more] = await timers();
    expect(more).toEqual([]);
    expect(before.getTime() - after.getTime()).toBe(3_600_000);
  });
});
