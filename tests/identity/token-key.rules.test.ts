import { randomBytes } from 'node:crypto';
import { seal, unseal } from '../../subgraphs/_kernel/seal.ts';
import { isIdle, type KeyFacts, planKeys } from '../../subgraphs/identity/token-key.rules.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (ms: number) => new Date(Date.UTC(2027, 2, 1) + ms);
const active: KeyFacts = { kid: 'a', state: 'ACTIVE', madeAt: at(0), activeAt: at(0) };
const next = (madeAt: number): KeyFacts => ({ kid: 'n', state: 'NEXT', madeAt: at(madeAt), activeAt: null });

describe('The keys access tokens are signed with', () => {
  test('the first is made when one is needed', () => {
    expect(planKeys([], at(0))).toEqual({ make: 'ACTIVE', activate: null, retire: [] });
    expect(isIdle(planKeys([active], at(HOUR)))).toBe(true);
  });

  test('a successor is published a day before the thirtieth ends, and takes over then', () => {
    expect(planKeys([active], at(29 * DAY - 1)).make).toBeNull();
    expect(planKeys([active], at(29 * DAY)).make).toBe('NEXT');
    expect(planKeys([active, next(29 * DAY)], at(30 * DAY - 1))).toMatchObject({ make: null, activate: null });
    expect(planKeys([active, next(29 * DAY)], at(30 * DAY)).activate).toBe('n');
  });

  test('a successor made late is published a day all the same', () => {
    expect(planKeys([active, next(40 * DAY)], at(41 * DAY - 1)).activate).toBeNull();
    expect(planKeys([active, next(40 * DAY)], at(41 * DAY)).activate).toBe('n');
  });

  test('a key that has signed its last goes when its last token is an hour old', () => {
    const retiring: KeyFacts = {
      kid: 'r',
      state: 'RETIRING',
      madeAt: at(0),
      activeAt: at(0),
      retiringAt: at(30 * DAY),
    };
    const present = { ...active, activeAt: at(30 * DAY) };
    expect(planKeys([retiring, present], at(30 * DAY + HOUR - 1)).retire).toEqual([]);
    expect(planKeys([retiring, present], at(30 * DAY + HOUR)).retire).toEqual(['r']);
  });
});

describe('A sealed private half', () => {
  const key = randomBytes(32);
  const secret = randomBytes(32);
  const sealed = seal(key, 'k1', secret);

  test('opens with the key it was sealed with, in its place only', () => {
    expect(unseal(key, 'k1', sealed)).toEqual(secret);
    expect(seal(key, 'k1', secret)).not.toBe(sealed);
    expect(() => unseal(key, 'k2', sealed)).toThrow();
    expect(() => unseal(randomBytes(32), 'k1', sealed)).toThrow();
  });

  test('does not open with a bit changed', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const place of [0, 12, 28, bytes.length - 1]) {
      const edited = Buffer.from(bytes);
      edited[place] = (edited[place] ?? 0) ^ 1;
      expect(() => unseal(key, 'k1', edited.toString('base64url'))).toThrow();
    }
  });
});
