import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { QuotaKey, QuotaPolicy } from '../../schema/features.ts';
import { ceilingOf } from '../../schema/quota.ts';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { readEventsNamed } from '../../subgraphs/_kernel/events.ts';
import { newlyReached } from '../../subgraphs/_kernel/quota.rules.ts';
import { consume, release } from '../../subgraphs/_kernel/quota.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, migrateByHand } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

interface Limit {
  key?: QuotaKey;
  limit?: number | null;
  policy?: QuotaPolicy;
  margin?: number;
  used?: number;
  anchorDay?: number;
  zone?: string;
  /** Of a counter, whose period is over when it has none. */
  periodEnd?: string;
}

/** A tenant whose licence limits one thing. */
async function limited({
  key = 'devices',
  limit = 100,
  policy = 'HARD',
  margin = 0,
  used = 0,
  anchorDay = 1,
  zone = 'UTC',
  periodEnd,
}: Limit): Promise<Context> {
  const ctx = await inNewTenant(world);
  const kind = key === 'tickets' || key === 'api_calls' ? 'COUNTER' : 'GAUGE';
  await migrateByHand(
    world,
    `insert into kernel.quota (tenant_id, key, kind, "limit", policy, soft_margin_percent, used, anchor_day, zone, period_start, period_end) values
       ('${ctx.tenantId}', '${key}', '${kind}', ${limit}, '${policy}', ${margin}, ${used}, ${anchorDay}, '${zone}',
        ${periodEnd ? `timestamptz '${periodEnd}' - interval '1 month', '${periodEnd}'` : 'null, null'})`,
  );
  return ctx;
}

const take = (ctx: Context, amount: bigint = 1n, onceKey: string = randomUUID(), key: QuotaKey = 'devices') =>
  ctx.tx((em) => consume(ctx, em, key, amount, onceKey));
const giveBack = (ctx: Context, amount: bigint, onceKey: string) =>
  ctx.tx((em) => release(ctx, em, 'devices', amount, onceKey));

async function rowOf(ctx: Context) {
  const [row] = await asSuperuser(
    world,
    'select used::int, warned, period_start, period_end from kernel.quota where tenant_id = $1',
    [ctx.tenantId],
  );
  return row as { used: number; warned: number[]; period_start: Date | null; period_end: Date | null };
}
const usedOf = async (ctx: Context) => (await rowOf(ctx)).used;

/** The warnings a tenant was given: percent and use at that moment. */
async function warningsOf(ctx: Context): Promise<[number, string][]> {
  const events = await readEventsNamed(await ctx.em(), 'licensing.quota.threshold_reached', 0, 100);
  await ctx.end();
  return events.map(({ payload }) => [payload.percent, payload.used]);
}

describe('the most that may be used', () => {
  const anyLimit = fc.bigInt({ min: 0n, max: 10n ** 15n });
  const anyMargin = fc.integer({ min: 0, max: 50 });

  test.each<[bigint | null, QuotaPolicy, number, bigint | null]>([
    [100n, 'HARD', 0, 100n],
    [100n, 'HARD', 10, 100n],
    [1_000n, 'SOFT', 10, 1_100n],
    [3n, 'SOFT', 10, 3n],
    [15n, 'SOFT', 10, 16n],
    [0n, 'SOFT', 50, 0n],
    [100n, 'OVERAGE', 0, null],
    [null, 'HARD', 0, null],
    [null, 'SOFT', 10, null],
  ])('of %p, %s with a margin of %i percent, is %p', (limit, policy, margin, ceiling) => {
    expect(ceilingOf(limit, policy, margin)).toBe(ceiling);
  });

  test('with a margin is the whole part of limit and percent, never under the limit and never over half more', () => {
    fc.assert(
      fc.property(anyLimit, anyMargin, (limit, margin) => {
        const ceiling = ceilingOf(limit, 'SOFT', margin) as bigint;
        expect(
          ceiling * 100n <= limit * BigInt(100 + margin) && (ceiling + 1n) * 100n > limit * BigInt(100 + margin),
        ).toBe(true);
        expect(ceiling >= limit && ceiling * 2n <= limit * 3n).toBe(true);
        expect(ceilingOf(limit, 'HARD', margin)).toBe(limit);
      }),
    );
  });
});

describe('a warning', () => {
  test.each<[string, bigint, bigint | null, number[], number[]]>([
    ['not yet', 399n, 500n, [], []],
    ['at 80 percent', 400n, 500n, [], [80]],
    ['at the limit', 500n, 500n, [80], [100]],
    ['at both when use leaps over both', 500n, 500n, [], [80, 100]],
    ['once', 450n, 500n, [80], []],
    ['first at 3 of 3', 2n, 3n, [], []],
    ['at 3 of 3 for both', 3n, 3n, [], [80, 100]],
    ['never without a limit', 1_000_000n, null, [], []],
    ['never where nothing is allowed', 0n, 0n, [], []],
  ])('comes %s', (_name, used, limit, warned, reached) => {
    expect(newlyReached(used, limit, warned)).toEqual(reached);
  });

  test('comes for each share exactly once while use only grows', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 1_000n }),
        fc.array(fc.bigInt({ min: 1n, max: 50n }), { maxLength: 60 }),
        (limit, amounts) => {
          let used = 0n;
          const warned: number[] = [];
          for (const amount of amounts) {
            used += amount;
            warned.push(...newlyReached(used, limit, warned));
            expect(warned.includes(80)).toBe(used * 100n >= limit * 80n);
            expect(warned.includes(100)).toBe(used >= limit);
          }
          expect(new Set(warned).size).toBe(warned.length);
        },
      ),
    );
  });
});

describe('what a licence limits', () => {
  test('is used up to its limit, and the next is told what holds', async () => {
    const ctx = await limited({ limit: 3, used: 2 });
    await take(ctx);
    const refused = await take(ctx).catch((error) => error);
    expect(refused).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'The plan allows 3 devices and 3 are in use.',
      extensions: { key: 'devices', limit: '3', used: '3', resetsAt: null },
    });
    expect(await usedOf(ctx)).toBe(3);
  });

  test('and nobody licensed cannot be used at all', async () => {
    const ctx = await inNewTenant(world);
    await expect(take(ctx)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', extensions: { limit: '0', used: '0' } });
  });

  test('of a hundred at once at 99 of 100, one passes', async () => {
    const ctx = await limited({ used: 99 });
    /** Whoever is told that too much is going on asks again. */
    const insist = async (): Promise<string> => {
      const asker = await inNewTenant(world, ctx.tenantId).catch(() => undefined);
      const code = asker ? await codeOf(take(asker)) : 'OVERLOADED';
      if (['none', 'QUOTA_EXCEEDED'].includes(code)) return code;
      await sleep(20 + Math.random() * 100);
      return insist();
    };
    const codes = await Promise.all(Array.from({ length: 100 }, insist));
    expect(codes.filter((code) => code === 'none')).toHaveLength(1);
    expect(await usedOf(ctx)).toBe(100);
  });

  test('is not used by what is rolled back', async () => {
    const ctx = await limited({});
    const failing = ctx.tx(async (em) => {
      await consume(ctx, em, 'devices', 80n, 'a');
      throw new Error('the device does not exist');
    });
    await expect(failing).rejects.toThrow();
    expect(await rowOf(ctx)).toMatchObject({ used: 0, warned: [] });
    expect(await warningsOf(ctx)).toEqual([]);
    await take(ctx, 5n, 'a');
    expect(await usedOf(ctx)).toBe(5);
  });

  test('counts once per key, and refuses the key for another amount', async () => {
    const ctx = await limited({ limit: 10 });
    await take(ctx, 6n, 'a');
    await take(ctx, 6n, 'a');
    expect(await codeOf(take(ctx, 5n, 'a'))).toBe('IDEMPOTENCY_MISMATCH');
    expect(await usedOf(ctx)).toBe(6);
    expect(await codeOf(take(ctx, 6n, 'b'))).toBe('QUOTA_EXCEEDED');
  });

  test('a key that was used is no refusal even when nothing is left', async () => {
    const ctx = await limited({ limit: 1 });
    await take(ctx, 1n, 'a');
    expect(await codeOf(take(ctx, 1n, 'a'))).toBe('none');
  });

  test('of another tenant is another matter, under the same key', async () => {
    const [one, other] = [await limited({ limit: 1 }), await limited({ limit: 1 })];
    await take(one, 1n, 'a');
    expect(await codeOf(take(other, 1n, 'a'))).toBe('none');
    expect(await codeOf(take(one, 1n, 'b'))).toBe('QUOTA_EXCEEDED');
  });

  test.each([0n, -1n])('cannot be used by %p', async (amount) => {
    const ctx = await limited({ used: 5 });
    await expect(take(ctx, amount)).rejects.toMatchObject({ code: 'INVALID', field: 'amount' });
    await expect(giveBack(ctx, amount, 'a')).rejects.toMatchObject({ code: 'INVALID', field: 'amount' });
    expect(await usedOf(ctx)).toBe(5);
  });

  test('with a margin of ten percent, the 1,100th of 1,000 passes and the 1,101st does not', async () => {
    const ctx = await limited({ limit: 1_000, policy: 'SOFT', margin: 10, used: 1_099 });
    expect([await codeOf(take(ctx)), await codeOf(take(ctx))]).toEqual(['none', 'QUOTA_EXCEEDED']);
  });

  test('with overage, or without a limit, always passes', async () => {
    const overage = await limited({ policy: 'OVERAGE', used: 100 });
    const unlimited = await limited({ limit: null, used: 100 });
    for (const ctx of [overage, unlimited]) await take(ctx, 1_000_000n);
    expect([await usedOf(overage), await usedOf(unlimited)]).toEqual([1_000_100, 1_000_100]);
    expect([await warningsOf(overage), await warningsOf(unlimited)]).toEqual([
      [
        [80, '1000100'],
        [100, '1000100'],
      ],
      [],
    ]);
  });

  test('counts in bytes beyond what a double can hold', async () => {
    const ctx = await limited({ key: 'storage_gb', limit: null });
    await take(ctx, 9_007_199_254_740_993n, 'a', 'storage_gb');
    const [row] = await asSuperuser(world, 'select used::text from kernel.quota where tenant_id = $1', [ctx.tenantId]);
    expect(row).toEqual({ used: '9007199254740993' });
  });
});

describe('what is given back', () => {
  test('is free again, once', async () => {
    const ctx = await limited({ limit: 10 });
    await take(ctx, 6n, 'a');
    await take(ctx, 3n, 'b');
    await giveBack(ctx, 6n, 'a');
    await giveBack(ctx, 6n, 'a');
    expect(await usedOf(ctx)).toBe(3);
    await take(ctx, 6n, 'a');
    expect(await usedOf(ctx)).toBe(9);
  });

  test('but was never taken changes nothing', async () => {
    const ctx = await limited({ used: 5 });
    await giveBack(ctx, 1n, 'never');
    expect(await usedOf(ctx)).toBe(5);
  });

  test('is what was taken: another amount is refused', async () => {
    const ctx = await limited({ limit: 10 });
    await take(ctx, 3n, 'a');
    await take(ctx, 6n, 'b');
    expect(await codeOf(giveBack(ctx, 6n, 'a'))).toBe('CONFLICT');
    expect(await usedOf(ctx)).toBe(9);
    await giveBack(ctx, 3n, 'a');
    expect(await usedOf(ctx)).toBe(6);
  });

  test('lets the warning come again once use fell five points below it', async () => {
    const ctx = await limited({ limit: 100 });
    await take(ctx, 80n, 'most');
    for (const [amount, onceKey] of [
      [5n, 'a'],
      [1n, 'b'],
    ] as const)
      await take(ctx, amount, onceKey);
    await giveBack(ctx, 5n, 'a');
    await take(ctx, 5n, 'c'); // from 81 to 86: it never fell far enough
    expect(await warningsOf(ctx)).toEqual([[80, '80']]);
    await giveBack(ctx, 80n, 'most');
    await take(ctx, 80n, 'again');
    expect(await warningsOf(ctx)).toEqual([
      [80, '80'],
      [80, '86'],
    ]);
  });
});

describe('what is counted by the month', () => {
  const soon = () => new Date(Date.now() + 86_400_000).toISOString();
  const call = (ctx: Context, amount = 1n) => take(ctx, amount, randomUUID(), 'api_calls');

  test('warns at 400 and at 500 of 500, once each in a period', async () => {
    const ctx = await limited({ key: 'api_calls', limit: 500, policy: 'OVERAGE', used: 398, periodEnd: soon() });
    for (let i = 0; i < 4; i++) await call(ctx);
    await call(ctx, 97n);
    await call(ctx);
    await call(ctx);
    expect(await warningsOf(ctx)).toEqual([
      [80, '400'],
      [100, '500'],
    ]);
  });

  test('says until when it is used up', async () => {
    const periodEnd = soon();
    const ctx = await limited({ key: 'api_calls', limit: 5, used: 5, periodEnd });
    await expect(call(ctx)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', extensions: { resetsAt: periodEnd } });
  });

  test('begins anew with the first use after its period is over, and warns anew', async () => {
    const ctx = await limited({
      key: 'api_calls',
      limit: 5,
      used: 5,
      anchorDay: 31,
      zone: 'America/Denver',
      periodEnd: '2026-01-31T07:00:00.000Z',
    });
    await migrateByHand(world, `update kernel.quota set warned = '{80,100}' where tenant_id = '${ctx.tenantId}'`);
    for (let i = 0; i < 4; i++) await call(ctx);
    const row = await rowOf(ctx);
    expect(row).toMatchObject({ used: 4, warned: [80] });
    expect(
      row.period_start &&
        row.period_start.getTime() <= Date.now() &&
        row.period_end &&
        row.period_end.getTime() > Date.now(),
    ).toBe(true);
    expect(
      new Intl.DateTimeFormat('en-GB', { timeZone: 'America/Denver', timeStyle: 'medium' }).format(
        row.period_start as Date,
      ),
    ).toBe('00:00:00');
    expect(await warningsOf(ctx)).toEqual([[80, '4']]);
  });

  test('begins with the first use of all when no period was set', async () => {
    const ctx = await limited({ key: 'api_calls', limit: 5, used: 5 });
    await call(ctx);
    expect(await usedOf(ctx)).toBe(1);
  });

  test("turns with the sandbox's clock, not with ours", async () => {
    const ctx = await limited({ key: 'api_calls', limit: 5, used: 5, periodEnd: soon() });
    await migrateByHand(
      world,
      `insert into kernel.tenant_profile (tenant_id, slug, kind, state, zone, currency, country, clock_offset_seconds)
         values ('${ctx.tenantId}', 'clock', 'SANDBOX', 'ACTIVE', 'UTC', 'EUR', 'DE', 172800)`,
    );
    await call(ctx);
    expect(await usedOf(ctx)).toBe(1);
  });

  test('under a key that was used, in this period or the one before, counts once', async () => {
    const ctx = await limited({ key: 'api_calls', limit: 5, periodEnd: soon() });
    await take(ctx, 2n, 'a', 'api_calls');
    await migrateByHand(
      world,
      `update kernel.quota set period_end = now() - interval '1 day' where tenant_id = '${ctx.tenantId}'`,
    );
    await take(ctx, 2n, 'a', 'api_calls');
    await take(ctx, 1n, 'b', 'api_calls');
    expect(await usedOf(ctx)).toBe(1);
  });
});
