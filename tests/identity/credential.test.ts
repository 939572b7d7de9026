import { getPriority } from 'node:os';
import { hash } from '@node-rs/argon2';
import { backgroundThreads, NICENESS } from '../../subgraphs/identity/background-threads.ts';
import { isWeak, NOBODYS_HASH, normalPassword, PARAMETERS } from '../../subgraphs/identity/credential.rules.ts';
import { hashPassword, isPasswordOf } from '../../subgraphs/identity/credential.service.ts';
import { lanes } from '../../subgraphs/identity/lanes.ts';

describe('A password', () => {
  test('is kept as argon2id with 64 MiB and three passes, and known again however it is typed', async () => {
    const kept = await hashPassword('correct ho\u0308rse');
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
    expect(await isPasswordOf(kept, 'correct hörse')).toBe(true);
    expect(await isPasswordOf(kept, 'correct horse')).toBe(false);
  });

  test('nobody is let in without one, or with one that is too long', async () => {
    expect(await isPasswordOf(null, 'correct horse')).toBe(false);
    expect(await isPasswordOf(await hashPassword(''), 'x'.repeat(513))).toBe(false);
    expect(normalPassword('ö'.repeat(256))).not.toBeNull();
    expect(normalPassword('ö'.repeat(257))).toBeNull();
  });

  (process.platform === 'linux' ? test : test.skip)('is hashed behind whatever else wants a processor', async () => {
    await isPasswordOf(null, 'correct horse');
    const priorities = backgroundThreads().map(getPriority);
    expect(priorities.length).toBeGreaterThan(0);
    expect(new Set(priorities)).toEqual(new Set([getPriority() + NICENESS]));
  });

  test('costs the same to check when nobody is known by the mail', async () => {
    const kept = await hashPassword('correct horse');
    const took: [known: number[], unknown: number[]] = [[], []];
    for (let i = 0; i < 14; i += 1) {
      const began = performance.now();
      await isPasswordOf(i % 2 === 0 ? kept : null, 'wrong');
      took[i % 2]?.push(performance.now() - began);
    }
    const [known = 0, unknown = 0] = took.map((times) => times.sort((a, b) => a - b)[3]);
    expect(Math.abs(known - unknown)).toBeLessThan(Math.max(10, known / 2));
  });

  test.each([
    ['as we make them', NOBODYS_HASH, false],
    ['with less memory', NOBODYS_HASH.replace('m=65536', 'm=19456'), true],
    ['with fewer passes', NOBODYS_HASH.replace('t=3', 't=2'), true],
    ['with more memory', NOBODYS_HASH.replace('m=65536', 'm=131072'), false],
    ['of another function', '$2b$12$abcdefghijklmnopqrstuv', true],
  ])('a hash %s is renewed: %s', (_, kept, isDue) => {
    expect(isWeak(kept)).toBe(isDue);
  });

  test('a hash made weaker elsewhere still opens', async () => {
    const weak = await hash('correct horse', { ...PARAMETERS, memoryCost: 1_024, timeCost: 1 });
    expect(isWeak(weak)).toBe(true);
    expect(await isPasswordOf(weak, 'correct horse')).toBe(true);
  });
});

describe('Lanes', () => {
  const never = () => new Promise<never>(() => {});

  test('let two through at once and the others in their order', async () => {
    const inLane = lanes(2, 10, 1_000);
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = (n: number) => async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      done.push(n);
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => inLane(work(n))));
    expect(most).toBe(2);
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('turn away who comes when the queue is full, and who waited too long', async () => {
    const inLane = lanes(1, 1, 20);
    void inLane(never);
    const waiting = inLane(async () => 'in');
    await expect(inLane(async () => 'in')).rejects.toMatchObject({ extensions: { code: 'OVERLOADED' } });
    expect(inLane.reserve()).toBeUndefined();
    await expect(waiting).rejects.toMatchObject({ extensions: { code: 'OVERLOADED' } });
  });

  test('turn away at once who would wait too long, by how long work has taken', async () => {
    const inLane = lanes(1, 64, 130);
    for (let i = 0; i < 30; i++) await inLane(() => new Promise((resolve) => setTimeout(resolve, 30)));
    void inLane(never);
    const waiting = [1, 2, 3].map(() => inLane(never));
    for (const one of waiting) one.catch(() => undefined);
    const askedAt = performance.now();
    await expect(inLane(never)).rejects.toMatchObject({ extensions: { code: 'OVERLOADED' } });
    expect(performance.now() - askedAt).toBeLessThan(50);
  });

  test('keep a place for who has something to do before, until it is used or given back', async () => {
    const inLane = lanes(1, 4, 1_000);
    const { promise, resolve: end } = Promise.withResolvers<void>();
    void inLane(() => promise);
    const first = inLane(async () => 'first');
    const places = [inLane.reserve(), inLane.reserve(), inLane.reserve()];
    expect(places.every(Boolean)).toBe(true);
    expect(inLane.reserve()).toBeUndefined();
    places[0]?.giveBack();
    places[0]?.giveBack(); // once
    const again = inLane.reserve();
    expect(again).toBeDefined();
    expect(inLane.reserve()).toBeUndefined();
    const used = [places[1], places[2], again].map((place, i) => place?.run(async () => i));
    end();
    expect(await Promise.all([first, ...used])).toEqual(['first', 0, 1, 2]);
  });

  test('go on after work that fails', async () => {
    const inLane = lanes(1, 5, 1_000);
    await expect(inLane(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await inLane(async () => 'next')).toBe('next');
  });
});
