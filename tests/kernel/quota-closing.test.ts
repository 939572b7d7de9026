import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '../../subgraphs/_kernel/context.ts';
import { consumeEach, recount, releaseReported, turnQuotas } from '../../subgraphs/_kernel/quota.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, migrateByHand } from './by-hand.ts';
import { ago, counterOf, limitedBy, soon, take, warnedOf } from './counters.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe('Limits that are older than the licence the caller knows', () => {
  const knowing = async (ctx: Context, licenseVersion: number) => {
    const { envelope } = await inNewTenant(world, ctx.tenantId);
    return new Context({ ...envelope, licenseVersion }, ctx.machinery);
  };

  test('are waited for', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 0, license_version: 3 });
    const asked = take(await knowing(ctx, 4));
    await sleep(150);
    await migrateByHand(
      world,
      `update kernel.quota set "limit" = 9, license_version = 4 where tenant_id = '${ctx.tenantId}'`,
    );
    expect(await asked).toMatchObject({ used: 1n });
  });

  test('for half a second: then too much is going on', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 9, license_version: 3 });
    const began = Date.now();
    expect(await codeOf(take(await knowing(ctx, 4)))).toBe('OVERLOADED');
    expect(Date.now() - began).toBeGreaterThanOrEqual(500);
    expect(await counterOf(world, ctx)).toMatchObject({ used: 0 });
    expect(await codeOf(take(await knowing(ctx, 3)))).toBe('none');
  });
});

describe('What is told from outside', () => {
  const told = (ctx: Context, amount: bigint, onceKey = randomUUID() as string) =>
    ctx.tx(async (em) => (await consumeEach(ctx, em, [{ key: 'devices', amount, onceKey }], { isReported: true }))[0]);
  const back = (ctx: Context, amount: bigint, onceKey = randomUUID() as string) =>
    ctx.tx((em) => releaseReported(ctx, em, { key: 'devices', amount, onceKey }));

  test('can be given back as far as it was told, and not a unit more', async () => {
    const ctx = await limitedBy(world, 'devices', { limit: 100, used: 50 });
    await told(ctx, 5n);
    await told(ctx, 3n);
    expect(await back(ctx, 6n, 'a')).toEqual({ used: 52n, isRepeated: false });
    expect(await back(ctx, 6n, 'a')).toEqual({ used: 52n, isRepeated: true });
    await expect(back(ctx, 3n)).rejects.toMatchObject({ code: 'CONFLICT', field: 'amount' });
    await expect(back(ctx, 1n, 'a')).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(await counterOf(world, ctx, 'devices')).toMatchObject({ used: 52, reported: 2 });
  });

  test('stays beside what the owner counts anew, and a difference is mended with its warning', async () => {
    const ctx = await limitedBy(world, 'devices', { limit: 100, used: 50 });
    await told(ctx, 5n);
    await ctx.tx((em) => recount(ctx, em, 'devices', async () => 80));
    expect(await counterOf(world, ctx, 'devices')).toMatchObject({ used: 85, reported: 5, warned: [80] });
    await ctx.tx((em) => recount(ctx, em, 'devices', async () => 40));
    expect(await counterOf(world, ctx, 'devices')).toMatchObject({ used: 45, reported: 5, warned: [] });
    expect(await warnedOf(ctx)).toEqual([80]);
  });
});

describe('Days and periods that are over', () => {
  const yesterday = () => ({
    day: ago(1).slice(0, 10),
    day_ends_at: `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
  });

  test('are closed by whoever comes first, once, though several come at once', async () => {
    const ctx = await limitedBy(world, 'api_calls', {
      ...{ limit: 100, policy: 'OVERAGE', unit_rate: '0.001', used: 130, period_start: ago(32), period_end: ago(1) },
      ...{ day: ago(2).slice(0, 10), day_ends_at: `${ago(1).slice(0, 10)}T00:00:00Z`, day_added: 4, day_peak: 130 },
    });
    const askers = await Promise.all(Array.from({ length: 6 }, () => inNewTenant(world, ctx.tenantId)));
    await Promise.all(
      askers.map((asker, i) =>
        i % 2 ? take(asker, 1n, randomUUID(), 'api_calls') : asker.tx((em) => turnQuotas(asker, em)),
      ),
    );
    expect(
      await asSuperuser(
        world,
        'select used::int, included::int, unit_rate::float from kernel.metered_period where tenant_id = $1',
        [ctx.tenantId],
      ),
    ).toEqual([{ used: 130, included: 100, unit_rate: 0.001 }]);
    const days = await asSuperuser(
      world,
      'select added::int, closing::int, peak::int from kernel.quota_day where tenant_id = $1 order by date',
      [ctx.tenantId],
    );
    expect(days[0]).toEqual({ added: 4, closing: 130, peak: 130 });
    expect(days).toHaveLength(2);
    expect(await counterOf(world, ctx, 'api_calls')).toMatchObject({ used: 3 });
  });

  test('a gauge whose limit was lowered under its use is warned of when its day ends', async () => {
    const ctx = await limitedBy(world, 'devices', { limit: 10, used: 9, ...yesterday(), period_end: soon() });
    await ctx.tx((em) => turnQuotas(ctx, em));
    await ctx.tx((em) => turnQuotas(ctx, em));
    expect(await warnedOf(ctx)).toEqual([80]);
  });
});
