import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { ANONYMOUS, type Caller } from '../../gateway/auth.ts';
import { LIMITS } from '../../gateway/limits.ts';
import { ratesInMemory } from '../../gateway/rates.memory.ts';
import { ratesInRedis } from '../../gateway/rates.redis.ts';
import { createRates, type Rates } from '../../gateway/rates.ts';
import type { ClientError } from '../../schema/errors.ts';
import { startRedis, type TestRedis } from '../setup/redis.ts';

const SIZES = { perCaller: 1_000, perTenant: 2_000, perAddress: 1_000 };
const CAPACITY = 10_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

let count = 0;
const person = (tenantId: string | null = `tenant-${++count}`): { caller: Caller; address: string } => ({
  caller: { ...ANONYMOUS, kind: 'USER', userId: `user-${++count}`, tenantId },
  address: '192.0.2.1',
});
const from = (address: string) => ({ caller: ANONYMOUS, address });
const silent = pino({ level: 'silent' });

/** Resolves when an engine's own connection is open, so that what it counts is counted there. */
async function whenReady(rates: Rates): Promise<Rates> {
  for (let i = 0; i < 100 && !(await isCountedInRedis(rates)); i++) await sleep(20);
  return rates;
}
async function isCountedInRedis(rates: Rates): Promise<boolean> {
  const one = person();
  await rates.take(one, 5_000);
  const other = createRates(ratesInRedis(redis.url, ratesInMemory(), silent), SIZES);
  try {
    for (let i = 0; i < 20; i++) {
      if ((await other.take(one, 1)).remaining < 9_000) return true;
      await sleep(10);
    }
    return false;
  } finally {
    other.close();
  }
}

const refusalOf = (taking: Promise<unknown>): Promise<ClientError> =>
  taking.then(
    () => Promise.reject(new Error('It was let in.')),
    (error: ClientError) => error,
  );

describe.each(['memory', 'Redis'])('Rates counted in %s', (place) => {
  let rates: Rates;
  beforeAll(async () => {
    rates =
      place === 'memory'
        ? createRates(ratesInMemory(), SIZES)
        : await whenReady(createRates(ratesInRedis(redis.url, ratesInMemory(), silent), SIZES));
  });
  afterAll(() => rates?.close());

  test('a caller spends a bucket by cost and is told what is left', async () => {
    const one = person();
    const first = await rates.take(one, 4_000);
    expect(first).toEqual({ capacity: CAPACITY, remaining: expect.any(Number), restoredPerSecond: 1_000 });
    expect(first.remaining).toBeGreaterThanOrEqual(6_000);
    expect(first.remaining).toBeLessThan(6_500);
    const second = await rates.take(one, 4_000);
    expect(second.remaining).toBeLessThan(first.remaining);
  });

  test('who has spent it is refused with the time after which the same operation is let in', async () => {
    const one = person();
    await rates.take(one, CAPACITY);
    const refused = await refusalOf(rates.take(one, 200));
    expect(refused.extensions).toEqual({
      code: 'RATE_LIMITED',
      reason: 'CALLER',
      retryAfterMs: expect.any(Number),
    });
    const wait = Number(refused.extensions.retryAfterMs);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(200);
    await sleep(wait + 5);
    await rates.take(one, 200);
  });

  test('a refusal takes nothing', async () => {
    const one = person();
    await rates.take(one, 6_000);
    for (let i = 0; i < 20; i++) await refusalOf(rates.take(one, 9_000));
    expect((await rates.take(one, 1)).remaining).toBeGreaterThan(3_900);
  });

  test('what was wrong is charged, and who goes on with it owes', async () => {
    const one = person();
    await rates.take(one, CAPACITY - 100);
    rates.charge(one, 2_000);
    const refused = await refusalOf(rates.take(one, 1));
    expect(Number(refused.extensions.retryAfterMs)).toBeGreaterThan(1_000);
    expect(() => rates.refuseIfEmpty(one)).toThrow('You ask for too much at once.');
    for (let i = 0; i < 20; i++) rates.charge(one, 2_000);
    const last = await refusalOf(rates.take(one, 1));
    expect(Number(last.extensions.retryAfterMs)).toBeLessThanOrEqual((CAPACITY + 1) / 1);
  });

  test('an empty bucket refuses before anything is read, and only its own caller', async () => {
    const one = person();
    const other = person();
    rates.refuseIfEmpty(one);
    rates.charge(one, CAPACITY + 500);
    await sleep(60);
    expect(() => rates.refuseIfEmpty(one)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
    rates.refuseIfEmpty(other);
    await sleep(600);
    rates.refuseIfEmpty(one);
  });

  test('people of one tenant share its bucket; another tenant feels nothing', async () => {
    const tenant = `shared-${++count}`;
    for (let i = 0; i < 2; i++) await rates.take(person(tenant), CAPACITY);
    const refused = await refusalOf(rates.take(person(tenant), CAPACITY));
    expect(refused.extensions.reason).toBe('TENANT');
    expect(refused.message).toBe('Your organisation asks for too much at once. Please try again a little later.');
    await rates.take(person(), CAPACITY);
  });

  test('many at once never take more than there is', async () => {
    const one = person(null);
    const started = performance.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => rates.take(one, 100)));
    const flowedBack = ((performance.now() - started) / 1_000) * 1_000;
    const taken = outcomes.filter(({ status }) => status === 'fulfilled').length * 100;
    expect(taken).toBeGreaterThanOrEqual(CAPACITY);
    expect(taken).toBeLessThanOrEqual(CAPACITY + flowedBack + 100);
  });

  test('who has not signed in is counted by address, an IPv6 network as one', async () => {
    await rates.take(from('198.51.100.7'), CAPACITY);
    expect((await refusalOf(rates.take(from('198.51.100.7'), 500))).extensions.reason).toBe('CALLER');
    await rates.take(from('198.51.100.8'), CAPACITY);
    await rates.take(from('2001:db8:0:7::1'), CAPACITY);
    await refusalOf(rates.take(from('2001:db8:0:7:ffff:1:2:3'), 500));
    await rates.take(from('2001:db8:0:8::1'), CAPACITY);
    await rates.take(from('::ffff:203.0.113.1'), CAPACITY);
    await rates.take(from('::ffff:203.0.113.2'), CAPACITY);
  });

  test('a bucket always has room for the dearest operation', async () => {
    const small = createRates(ratesInMemory(), { perCaller: 10, perTenant: 10, perAddress: 10 });
    expect((await small.take(person(), LIMITS.cost)).capacity).toBe(LIMITS.cost);
  });
});

describe('Rates shared through Redis', () => {
  test('two gateways count the same bucket', async () => {
    const [a, b] = await Promise.all(
      [0, 1].map(() => whenReady(createRates(ratesInRedis(redis.url, ratesInMemory(), silent), SIZES))),
    );
    const one = person();
    await a?.take(one, CAPACITY);
    expect((await refusalOf((b as Rates).take(one, 5_000))).code).toBe('RATE_LIMITED');
    a?.close();
    b?.close();
  });

  test('while Redis hangs or is gone each gateway counts for itself, and shares again when it is back', async () => {
    const said: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
    const rates = await whenReady(createRates(ratesInRedis(redis.url, ratesInMemory(), log), SIZES));
    for (const [stop, start] of [
      [async () => redis.pause(), async () => redis.resume()],
      [() => redis.kill(), () => redis.restart()],
    ] as const) {
      said.length = 0;
      await stop();
      const one = person();
      await rates.take(one, CAPACITY);
      const started = performance.now();
      for (let i = 0; i < 50; i++) await refusalOf(rates.take(one, 9_000)); // limited all the same
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(said).toEqual(['redis is away; rates are counted in this process alone']);
      await start();
      await whenReady(rates);
      expect(said.at(-1)).toBe('redis is back; rates are shared again');
    }
    rates.close();
  }, 30_000);
});
