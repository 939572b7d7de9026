import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { once } from '../../subgraphs/_kernel/idempotency.ts';
import { nextNumber } from '../../subgraphs/_kernel/number-series.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, until } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const PAY = { door: 'recordPayment', key: 'k-1', request: { customerId: 'c', amountMinor: 4_999n } };

/** Pays under a key in a transaction of its own; what it gives back names the run. */
const pay = (
  ctx: Context,
  asked: typeof PAY = PAY,
  run: () => Promise<string> = async () => randomUUID(),
): Promise<string> => ctx.tx((em) => once(ctx, em, asked, run));

const never = () => Promise.reject(new Error('It ran again.'));

describe('a request sent twice with one key', () => {
  test('is done once, and both get the first answer', async () => {
    const ctx = await inNewTenant(world);
    const first = await pay(ctx);
    expect(await pay(ctx, PAY, never)).toBe(first);
    expect(
      await pay(
        await inNewTenant(world, ctx.tenantId),
        { ...PAY, request: { amountMinor: 4_999n, customerId: 'c' } },
        never,
      ),
    ).toBe(first);
  });

  test.each<[string, string | number | boolean | null | object]>([
    ['a text', 'p-1'],
    ['nothing', null],
    ['a number', 42],
    ['no', false],
    ['ids', { paymentId: 'p-1', lineIds: ['a', 'b'], next: null }],
  ])('gives back %s as it was', async (_name, answer) => {
    const ctx = await inNewTenant(world);
    const ask = (run: () => Promise<never>) => ctx.tx((em) => once(ctx, em, PAY, run));
    await ask(async () => answer as never);
    expect(await ask(never as never)).toEqual(answer);
  });

  test.each<[string, Partial<typeof PAY>]>([
    ['another amount', { request: { customerId: 'c', amountMinor: 5_000n } }],
    ['another customer', { request: { customerId: 'd', amountMinor: 4_999n } }],
  ])('but with %s is a mismatch, and nothing is done', async (_name, other) => {
    const ctx = await inNewTenant(world);
    await pay(ctx);
    expect(await codeOf(pay(ctx, { ...PAY, ...other }, never))).toBe('IDEMPOTENCY_MISMATCH');
  });

  test('but by another person is a mismatch', async () => {
    const ctx = await inNewTenant(world);
    await pay(ctx);
    const other = await inNewTenant(world, ctx.tenantId);
    Object.assign(other.envelope.caller, { kind: 'USER', id: randomUUID() });
    expect(await codeOf(pay(other, PAY, never))).toBe('IDEMPOTENCY_MISMATCH');
  });

  test('but at another door, or with another key, is another request', async () => {
    const ctx = await inNewTenant(world);
    const answers = [
      await pay(ctx),
      await pay(ctx, { ...PAY, door: 'postCharge' }),
      await pay(ctx, { ...PAY, key: 'k-2' }),
      await pay(ctx, { ...PAY, key: 'K-1' }),
    ];
    expect(new Set(answers).size).toBe(4);
  });

  test('but in another tenant is another request, and neither learns of the other', async () => {
    const [one, other] = [await inNewTenant(world), await inNewTenant(world)];
    const first = await pay(one);
    expect(await pay(other, { ...PAY, request: { customerId: 'z', amountMinor: 1n } })).not.toBe(first);
    expect(await pay(one, PAY, never)).toBe(first);
  });

  test('and again after three days, when the first answer is forgotten, is done anew', async () => {
    const ctx = await inNewTenant(world);
    const first = await pay(ctx);
    const [kept] = await asSuperuser(
      world,
      `select extract(epoch from expires_at - now())::int as s from kernel.idempotency_key where tenant_id = $1`,
      [ctx.tenantId],
    );
    expect(Math.abs(Number(kept?.s) - 72 * 3_600)).toBeLessThan(60);
    await asSuperuser(
      world,
      `update kernel.idempotency_key set expires_at = now() - interval '1 second' where tenant_id = $1`,
      [ctx.tenantId],
    );
    const second = await pay(ctx);
    expect(second).not.toBe(first);
    expect(await pay(ctx, PAY, never)).toBe(second);
  });

  test.each([
    ['an empty one', ''],
    ['one of 256', 'x'.repeat(256)],
  ])('needs a key of 1 to 255 characters, not %s', async (_name, key) => {
    const ctx = await inNewTenant(world);
    await expect(pay(ctx, { ...PAY, key }, never)).rejects.toMatchObject({ code: 'INVALID', field: 'idempotencyKey' });
  });

  test('takes the longest key there may be, and any letter in it', async () => {
    const ctx = await inNewTenant(world);
    for (const key of ['x'.repeat(255), "'; drop table --", '?', '??', '\\', '🧾'.repeat(60), ':key', '$1']) {
      const first = await pay(ctx, { ...PAY, key });
      expect(await pay(ctx, { ...PAY, key }, never)).toBe(first);
    }
  });
});

describe('a first request that fails', () => {
  test('leaves no trace: the key is free for the next', async () => {
    const ctx = await inNewTenant(world);
    await expect(pay(ctx, PAY, () => Promise.reject(new Error('declined')))).rejects.toThrow('declined');
    expect(
      await asSuperuser(world, 'select 1 from kernel.idempotency_key where tenant_id = $1', [ctx.tenantId]),
    ).toEqual([]);
    const other = { ...PAY, request: { customerId: 'c', amountMinor: 1n } };
    const second = await pay(ctx, other);
    expect(await pay(ctx, other, never)).toBe(second);
  });

  test('leaves none when what comes after it in the same use case fails', async () => {
    const ctx = await inNewTenant(world);
    const failing = ctx.tx(async (em) => {
      await once(ctx, em, PAY, async () => 'p-1');
      throw new Error('the ledger does not balance');
    });
    await expect(failing).rejects.toThrow();
    expect(await pay(ctx, PAY, async () => 'p-2')).toBe('p-2');
  });
});

describe('two requests with one key at the same time', () => {
  /** The first of them, which is done when it is told so. */
  async function slowFirst(tenantId: string, end: 'commit' | 'fail' = 'commit') {
    let isRunning = false;
    let finish = () => {};
    const told = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const answer = pay(await inNewTenant(world, tenantId), PAY, async () => {
      isRunning = true;
      await told;
      if (end === 'fail') throw new Error('declined');
      return 'the first';
    });
    answer.catch(() => undefined);
    await until('the first runs', () => isRunning);
    return { answer, finish };
  }

  test('the second waits, and gets the answer of the first', async () => {
    const tenantId = randomUUID();
    const { answer, finish } = await slowFirst(tenantId);
    const second = pay(await inNewTenant(world, tenantId), PAY, never);
    await sleep(200);
    finish();
    expect(await Promise.all([answer, second])).toEqual(['the first', 'the first']);
  });

  test('the second is done itself when the first fails', async () => {
    const tenantId = randomUUID();
    const { answer, finish } = await slowFirst(tenantId, 'fail');
    const second = pay(await inNewTenant(world, tenantId), PAY, async () => 'the second');
    await sleep(100);
    finish();
    await expect(answer).rejects.toThrow('declined');
    expect(await second).toBe('the second');
  });

  test('the second is told that the first still runs when that takes over a second', async () => {
    const tenantId = randomUUID();
    const { answer, finish } = await slowFirst(tenantId);
    const begun = Date.now();
    await expect(pay(await inNewTenant(world, tenantId), PAY, never)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      field: 'idempotencyKey',
    });
    expect(Date.now() - begun).toBeLessThan(2_500);
    finish();
    expect(await answer).toBe('the first');
  });

  test('of eight, one is done', async () => {
    const tenantId = randomUUID();
    const contexts = await Promise.all(Array.from({ length: 8 }, () => inNewTenant(world, tenantId)));
    let runs = 0;
    const answers = await Promise.all(
      contexts.map((ctx) =>
        pay(ctx, PAY, async () => {
          runs += 1;
          await sleep(20);
          return `run ${runs}`;
        }),
      ),
    );
    expect(runs).toBe(1);
    expect(new Set(answers)).toEqual(new Set(['run 1']));
  });
});

describe('the numbers people read', () => {
  const draw = (ctx: Context, series = 'ticket', prefix = 'T') => ctx.tx((em) => nextNumber(em, series, prefix));

  test('count from one, per tenant and series, without a gap after a failure', async () => {
    const [one, other] = [await inNewTenant(world), await inNewTenant(world)];
    expect([await draw(one), await draw(one)]).toEqual(['T-000001', 'T-000002']);
    const failing = one.tx(async (em) => {
      await nextNumber(em, 'ticket', 'T');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow();
    expect([await draw(one), await draw(other), await draw(one, 'invoice', 'I')]).toEqual([
      'T-000003',
      'T-000001',
      'I-000001',
    ]);
  });

  test('are each given once, however many ask at the same time', async () => {
    const tenantId = randomUUID();
    const contexts = await Promise.all(Array.from({ length: 8 }, () => inNewTenant(world, tenantId)));
    const drawn = await Promise.all(
      contexts.flatMap(async (ctx) => [await draw(ctx), await draw(ctx), await draw(ctx)]),
    );
    expect(drawn.flat().sort()).toEqual(Array.from({ length: 24 }, (_, i) => `T-${String(i + 1).padStart(6, '0')}`));
  });

  test('grow past six digits', async () => {
    const ctx = await inNewTenant(world);
    await draw(ctx);
    await asSuperuser(world, 'update kernel.number_series set last = 999999 where tenant_id = $1', [ctx.tenantId]);
    expect(await draw(ctx)).toBe('T-1000000');
  });
});
