import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUOTAS, type QuotaKey } from '../../schema/features.ts';
import { Context } from '../../subgraphs/_kernel/context.ts';
import { readEventsNamed } from '../../subgraphs/_kernel/events.ts';
import {
  consume,
  consumeEach,
  quotaLeft,
  recount,
  release,
  releaseReported,
  turnQuotas,
} from '../../subgraphs/_kernel/quota.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, migrateByHand } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const soon = () => new Date(Date.now() + 86_400_000).toISOString();
const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** A tenant whose licence limits one thing; columns are written as SQL. */
async function limited(key: QuotaKey, columns: Record<string, string | number | null>): Promise<Context> {
  const ctx = await inNewTenant(world);
  const given = {
    tenant_id: ctx.tenantId,
    key,
    kind: QUOTAS[key].kind,
    policy: 'HARD',
    anchor_day: 1,
    zone: 'UTC',
    ...columns,
  };
  const values = Object.values(given).map((value) => (value === null ? 'null' : `'${value}'`));
  const names = Object.keys(given).map((name) => `"${name}"`);
  await migrateByHand(world, `insert into kernel.quota (${names}) values (${values})`);
  return ctx;
}

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
const take = (ctx: Context, amount = 1n, onceKey: string = randomUUID(), key: QuotaKey = 'tickets') =>
  ctx.tx((em) => consume(ctx, em, key, amount, onceKey));
const rowOf = async (ctx: Context, key: QuotaKey = 'tickets') => {
  const [row] = await asSuperuser(
    world,
    `select used::int, topped_up::int, reported::int, warned, day_added::int, day_peak::int, period_end,
            (select jsonb_object_agg(t ->> 'grantId', (t ->> 'remaining')::int) from jsonb_array_elements(top_ups) t) as left
       from kernel.quota where tenant_id = $1 and key = $2`,
    [ctx.tenantId, key],
  );
  return row as Record<string, unknown>;
};
const warningsOf = async (ctx: Context) => {
  const events = await readEventsNamed(await ctx.em(), 'licensing.quota.threshold_reached', 0, 100);
  await ctx.end();
  return events.map(({ payload }) => payload.percent);
};

describe('A top-up', () => {
  const tickets = () =>
    limited('tickets', {
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
    await expect(failing).rejects.toThrow();
    expect(await rowOf(ctx)).toMatchObject({ used: 98, left: { A: 5, B: 3, C: 2 } });
    await take(ctx, 8n, 'a');
    await take(ctx, 8n, 'a');
    expect(await rowOf(ctx)).toMatchObject({ used: 106, topped_up: 6, left: { A: 4, B: 0, C: 0 } });
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
    expect(await rowOf(ctx)).toMatchObject({ used: 110, topped_up: 10, left: { A: 0, B: 0, C: 0 } });
  });

  test('gives nothing back: what it has paid stays paid, and the allotment is free again', async () => {
    const ctx = await tickets();
    await take(ctx, 8n, 'a');
    await ctx.tx((em) => release(ctx, em, 'tickets', 8n, 'a'));
    expect(await rowOf(ctx)).toMatchObject({ used: 98, topped_up: 6, left: { A: 4, B: 0, C: 0 } });
    expect(await ctx.tx((em) => quotaLeft(ctx, em, 'tickets'))).toBe(12n);
  });
});

describe('Overage', () => {
  test('passes up to its cap over the limit', async () => {
    const ctx = await limited('api_calls', { limit: 100, policy: 'OVERAGE', overage_cap: 20 });
    await take(ctx, 120n, 'a', 'api_calls');
    expect(await codeOf(take(ctx, 1n, 'b', 'api_calls'))).toBe('QUOTA_EXCEEDED');
  });
});

describe('A use', () => {
  test('asked again gives its first outcome, whatever was used since', async () => {
    const ctx = await limited('tickets', { limit: 100 });
    const first = await take(ctx, 7n, 'a');
    await take(ctx, 9n, 'b');
    expect([first, await take(ctx, 7n, 'a')]).toEqual([
      { used: 7n, isRepeated: false },
      { used: 7n, isRepeated: true },
    ]);
  });

  test('fifty times at once under one key counts once', async () => {
    const ctx = await limited('tickets', { limit: 100, plain_until: 70, used: 0 });
    await take(ctx, 3n); // from here on it is counted plainly
    const codes = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const asker = await inNewTenant(world, ctx.tenantId).catch(() => undefined);
        return asker ? codeOf(take(asker, 2n, 'same')) : 'OVERLOADED';
      }),
    );
    expect(codes.filter((code) => code !== 'none' && code !== 'OVERLOADED')).toEqual([]);
    expect(await rowOf(ctx)).toMatchObject({ used: 5, day_added: 5, day_peak: 5 });
  });

  test('of more than can be counted is refused', async () => {
    const ctx = await limited('devices', { limit: null });
    await take(ctx, 9_223_372_036_854_775_807n, 'a', 'devices');
    await expect(take(ctx, 1n, 'b', 'devices')).rejects.toMatchObject({ code: 'INVALID', field: 'amount' });
  });

  test('given back in a later period changes nothing', async () => {
    const ctx = await limited('tickets', { limit: 100 });
    await take(ctx, 7n, 'a');
    await migrateByHand(
      world,
      `insert into kernel.tenant_profile (tenant_id, slug, kind, state, zone, currency, country, clock_offset_seconds)
         values ('${ctx.tenantId}', 'later', 'SANDBOX', 'ACTIVE', 'UTC', 'EUR', 'DE', 40 * 86400)`,
    );
    await take(ctx, 9n, 'b');
    await ctx.tx((em) => release(ctx, em, 'tickets', 7n, 'a'));
    expect(await rowOf(ctx)).toMatchObject({ used: 9 });
  });

  test('may come back in part, once', async () => {
    const ctx = await limited('tickets', { limit: 100 });
    await take(ctx, 10n, 'a');
    expect(await codeOf(ctx.tx((em) => release(ctx, em, 'tickets', 11n, 'a', 10n)))).toBe('CONFLICT');
    for (const _ of [1, 2]) await ctx.tx((em) => release(ctx, em, 'tickets', 4n, 'a', 10n));
    expect(await rowOf(ctx)).toMatchObject({ used: 6 });
  });

  test('keeps its receipt for 72 hours after its period, and of a gauge until it is given back', async () => {
    const [counter, gauge] = [await limited('tickets', { limit: 9 }), await limited('devices', { limit: 9 })];
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
    const ctx = await limited('tickets', { limit: 1_000 });
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
    expect(await rowOf(ctx)).toMatchObject({ used: 10 });
    expect(await rowOf(ctx, 'api_calls')).toMatchObject({ used: 5 });
  });
});

describe('Limits that are older than the licence the caller knows', () => {
  const knowing = async (ctx: Context, licenseVersion: number) => {
    const { envelope } = await inNewTenant(world, ctx.tenantId);
    return new Context({ ...envelope, licenseVersion }, ctx.machinery);
  };

  test('are waited for', async () => {
    const ctx = await limited('tickets', { limit: 0, license_version: 3 });
    const asked = take(await knowing(ctx, 4));
    await sleep(150);
    await migrateByHand(
      world,
      `update kernel.quota set "limit" = 9, license_version = 4 where tenant_id = '${ctx.tenantId}'`,
    );
    expect(await asked).toMatchObject({ used: 1n });
  });

  test('for half a second: then too much is going on', async () => {
    const ctx = await limited('tickets', { limit: 9, license_version: 3 });
    const began = Date.now();
    expect(await codeOf(take(await knowing(ctx, 4)))).toBe('OVERLOADED');
    expect(Date.now() - began).toBeGreaterThanOrEqual(500);
    expect(await rowOf(ctx)).toMatchObject({ used: 0 });
    expect(await codeOf(take(await knowing(ctx, 3)))).toBe('none');
  });
});

describe('What is told from outside', () => {
  const told = (ctx: Context, amount: bigint, onceKey = randomUUID() as string) =>
    ctx.tx(async (em) => (await consumeEach(ctx, em, [{ key: 'devices', amount, onceKey }], { isReported: true }))[0]);
  const back = (ctx: Context, amount: bigint, onceKey = randomUUID() as string) =>
    ctx.tx((em) => releaseReported(ctx, em, { key: 'devices', amount, onceKey }));

  test('can be given back as far as it was told, and not a unit more', async () => {
    const ctx = await limited('devices', { limit: 100, used: 50 });
    await told(ctx, 5n);
    await told(ctx, 3n);
    expect(await back(ctx, 6n, 'a')).toEqual({ used: 52n, isRepeated: false });
    expect(await back(ctx, 6n, 'a')).toEqual({ used: 52n, isRepeated: true });
    await expect(back(ctx, 3n)).rejects.toMatchObject({ code: 'CONFLICT', field: 'amount' });
    await expect(back(ctx, 1n, 'a')).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    expect(await rowOf(ctx, 'devices')).toMatchObject({ used: 52, reported: 2 });
  });

  test('stays beside what the owner counts anew, and a difference is mended with its warning', async () => {
    const ctx = await limited('devices', { limit: 100, used: 50 });
    await told(ctx, 5n);
    await ctx.tx((em) => recount(ctx, em, 'devices', async () => 80));
    expect(await rowOf(ctx, 'devices')).toMatchObject({ used: 85, reported: 5, warned: [80] });
    await ctx.tx((em) => recount(ctx, em, 'devices', async () => 40));
    expect(await rowOf(ctx, 'devices')).toMatchObject({ used: 45, reported: 5, warned: [] });
    expect(await warningsOf(ctx)).toEqual([80]);
  });
});

describe('Days and periods that are over', () => {
  const yesterday = () => ({
    day: ago(1).slice(0, 10),
    day_ends_at: `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
  });

  test('are closed by whoever comes first, once, though several come at once', async () => {
    const ctx = await limited('api_calls', {
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
    expect(await rowOf(ctx, 'api_calls')).toMatchObject({ used: 3 });
  });

  test('a gauge whose limit was lowered under its use is warned of when its day ends', async () => {
    const ctx = await limited('devices', { limit: 10, used: 9, ...yesterday(), period_end: soon() });
    await ctx.tx((em) => turnQuotas(ctx, em));
    await ctx.tx((em) => turnQuotas(ctx, em));
    expect(await warningsOf(ctx)).toEqual([80]);
  });
});
