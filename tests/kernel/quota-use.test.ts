import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QuotaKey } from '../../schema/features.ts';
import { consume, consumeEach, quotaLeft, release } from '../../subgraphs/_kernel/quota.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, migrateByHand } from './by-hand.ts';
import { ago, counterOf, limitedBy, soon, take } from './counters.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const topUp = (grantId: string, remaining: number, over: object = {}) => ({
  ...{
    grantId,
    remaining: String(remaining),
    priority: 50,
    startsAt: ago(9),
    expiresAt: null,
    rolloverMax: '0',
    ...over,
  },
});
describe('A top-up', () => {
  const tickets = () =>
    limitedBy(world, 'tickets', {
      ...{ limit: 100, used: 98, period_start: ago(9), period_end: soon() },
      top_ups: JSON.stringify([
        topUp('A', 5, { priority: 10, expiresAt: new Date(Date.now() + 20 * 86_400_000) }),
        topUp('B', 3, { priority: 10, expiresAt: soon() }),
        topUp('C', 2, { priority: 1 }),
      ]),
    });

  test('burns in the transaction that uses it, in its order, and comes back with it', async () => {
    const ctx = await tickets();
    const failing = ctx.tx(async (em) => {
      await consume(ctx, em, 'tickets', 8n, 'a');
      throw new Error('the ticket has no subject');
    });
    await expect(failing).rejects.toThrow('the ticket has no subject');
    expect(await counterOf(world, ctx)).toMatchObject({ used: 98, left: { A: 5, B: 3, C: 2 } });
    await take(ctx, 8n, 'a');
    await take(ctx, 8n, 'a');
    expect(await counterOf(world, ctx)).toMatchObject({ used: 106, topped_up: 6, left: { A: 4, B: 0, C: 0 } });
    expect(await ctx.tx((em) => quotaLeft(ctx, em, 'tickets'))).toBe(4n);
    expect(await codeOf(take(ctx, 5n))).toBe('QUOTA_EXCEEDED');
    await take(ctx, 4n);
    expect(await codeOf(take(ctx))).toBe('QUOTA_EXCEEDED');
  });

  test('lets pass exactly what is left, however many ask at once', async () => {
    const ctx = await tickets();
    const asked = await Promise.all(
      Array.from({ length: 60 }, async () => {
        for (;;) {
          const asker = await inNewTenant(world, ctx.tenantId).catch(() => undefined);
          const code = asker ? await codeOf(take(asker)) : 'OVERLOADED';
          if (code === 'none' || code === 'QUOTA_EXCEEDED') return code;
          await sleep(20 + Math.random() * 100);
        }
      }),
    );
    expect(asked.filter((code) => code === 'none')).toHaveLength(12);
    expect(await counterOf(world, ctx)).toMatchObject({ used: 110, topped_up: 10, left: { A: 0, B: 0, C: 0 } });
  });

  test('gives nothing back: what it has paid stays paid, and the allotment is free again', async () => {
    const ctx = await tickets();
    await take(ctx, 8n, 'a');
    await ctx.tx((em) => release(ctx, em, 'tickets', 8n, 'a'));
    expect(await counterOf(world, ctx)).toMatchObject({ used: 98, topped_up: 6, left: { A: 4, B: 0, C: 0 } });
    expect(await ctx.tx((em) => quotaLeft(ctx, em, 'tickets'))).toBe(12n);
  });
});

describe('Overage', () => {
  test('passes up to its cap over the limit', async () => {
    const ctx = await limitedBy(world, 'api_calls', { limit: 100, policy: 'OVERAGE', overage_cap: 20 });
    await take(ctx, 120n, 'a', 'api_calls');
    expect(await codeOf(take(ctx, 1n, 'b', 'api_calls'))).toBe('QUOTA_EXCEEDED');
  });
});

describe('A use', () => {
  test('asked again gives its first outcome, whatever was used since', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 100 });
    const first = await take(ctx, 7n, 'a');
    await take(ctx, 9n, 'b');
    expect([first, await take(ctx, 7n, 'a')]).toEqual([
      { used: 7n, isRepeated: false },
      { used: 7n, isRepeated: true },
    ]);
  });

  test('fifty times at once under one key counts once', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 100, plain_until: 70, used: 0 });
    await take(ctx, 3n); // from here on it is counted plainly
    const codes = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const asker = await inNewTenant(world, ctx.tenantId).catch(() => undefined);
        return asker ? codeOf(take(asker, 2n, 'same')) : 'OVERLOADED';
      }),
    );
    expect(codes.filter((code) => code !== 'none' && code !== 'OVERLOADED')).toEqual([]);
    expect(await counterOf(world, ctx)).toMatchObject({ used: 5, day_added: 5, day_peak: 5 });
  });

  test('of more than can be counted is refused', async () => {
    const ctx = await limitedBy(world, 'devices', { limit: null });
    await take(ctx, 9_223_372_036_854_775_807n, 'a', 'devices');
    await expect(take(ctx, 1n, 'b', 'devices')).rejects.toMatchObject({ code: 'INVALID', field: 'amount' });
  });

  test('given back in a later period changes nothing', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 100 });
    await take(ctx, 7n, 'a');
    await migrateByHand(
      world,
      `insert into kernel.tenant_profile (tenant_id, slug, kind, state, zone, currency, country, clock_offset_seconds)
         values ('${ctx.tenantId}', 'later', 'SANDBOX', 'ACTIVE', 'UTC', 'EUR', 'DE', 40 * 86400)`,
    );
    await take(ctx, 9n, 'b');
    await ctx.tx((em) => release(ctx, em, 'tickets', 7n, 'a'));
    expect(await counterOf(world, ctx)).toMatchObject({ used: 9 });
  });

  test('may come back in part, once', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 100 });
    await take(ctx, 10n, 'a');
    expect(await codeOf(ctx.tx((em) => release(ctx, em, 'tickets', 11n, 'a', 10n)))).toBe('CONFLICT');
    for (const _ of [1, 2]) await ctx.tx((em) => release(ctx, em, 'tickets', 4n, 'a', 10n));
    expect(await counterOf(world, ctx)).toMatchObject({ used: 6 });
  });

  test('keeps its receipt for 72 hours after its period, and of a gauge until it is given back', async () => {
    const [counter, gauge] = [
      await limitedBy(world, 'tickets', { limit: 9 }),
      await limitedBy(world, 'devices', { limit: 9 }),
    ];
    await take(counter, 1n, 'a');
    await take(gauge, 1n, 'a', 'devices');
    const [row] = await asSuperuser(
      world,
      `select r.expires_at - q.period_end = interval '72 hours' as is_kept from kernel.quota_receipt r
         join kernel.quota q on q.tenant_id = r.tenant_id where r.tenant_id = $1`,
      [counter.tenantId],
    );
    expect(row).toEqual({ is_kept: true });
    const receipts = await asSuperuser(world, 'select expires_at from kernel.quota_receipt where tenant_id = $1', [
      gauge.tenantId,
    ]);
    expect(receipts).toEqual([{ expires_at: null }]);
  });

  test('of several quotas locks them in one order, so that nobody waits in a circle', async () => {
    const ctx = await limitedBy(world, 'tickets', { limit: 1_000 });
    await migrateByHand(
      world,
      `insert into kernel.quota (tenant_id, key, kind, "limit", policy, anchor_day, zone)
         values ('${ctx.tenantId}', 'api_calls', 'COUNTER', 5, 'HARD', 1, 'UTC')`,
    );
    const both = async (keys: QuotaKey[]) => {
      const asker = await inNewTenant(world, ctx.tenantId);
      const uses = keys.map((key) => ({ key, amount: 1n, onceKey: randomUUID() }));
      return asker.tx((em) => consumeEach(asker, em, uses));
    };
    for (let round = 0; round < 5; round++) {
      const [one, other] = await Promise.all([both(['tickets', 'api_calls']), both(['api_calls', 'tickets'])]);
      expect([one[0], other[1]]).toEqual([
        expect.objectContaining({ isRepeated: false }),
        expect.objectContaining({ isRepeated: false }),
      ]);
    }
    expect(await counterOf(world, ctx)).toMatchObject({ used: 10 });
    expect(await counterOf(world, ctx, 'api_calls')).toMatchObject({ used: 5 });
  });
});
