import fc from 'fast-check';
import { readRefreshToken, refreshTokenOf } from '../../subgraphs/identity/refresh-token.rules.ts';

const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const session = '01990000-0000-7000-8000-000000005e01';

describe('A refresh token', () => {
  test.each([
    [1, 'isp_rt_01990000000070008000000000005e01.1.1Pt5xB-sC0rqYwtNMB5-6gwM3hxNcwfoUz0eQR5wLr4'],
    [2, 'isp_rt_01990000000070008000000000005e01.2.Hqr__Iwfka1G2UIcBbJueCRwIyCRhZE9EQTOlJpkVUg'],
  ])('of generation %i is the one the specification computes', (generation, token) => {
    expect(refreshTokenOf(key, session, generation)).toBe(token);
    expect(readRefreshToken(key, token)).toEqual({ sessionId: session, generation });
  });

  test('is read back for any session and generation, and under no other key', () => {
    const other = Buffer.alloc(32, 7);
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 2_000_000_000 }), (sessionId, generation) => {
        const token = refreshTokenOf(key, sessionId, generation);
        expect(readRefreshToken(key, token)).toEqual({ sessionId, generation });
        expect(readRefreshToken(other, token)).toBeUndefined();
      }),
    );
  });

  test('with any letter changed is junk', () => {
    const token = refreshTokenOf(key, session, 35);
    const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...'abcdefABCDEF0123456789-_.'));
    fc.assert(
      fc.property(change, ([at, letter]) => {
        const edited = token.slice(0, at) + letter + token.slice(at + 1);
        if (edited !== token) expect(readRefreshToken(key, edited)).toBeUndefined();
      }),
    );
  });

  test.each([
    '',
    'isp_rt_',
    'Bearer x',
    'isp_rt_01990000000070008000000000005e01.01.1Pt5xB-sC0rqYwtNMB5-6gwM3hxNcwfoUz0eQR5wLr4',
  ])('is not %j', (junk) => {
    expect(readRefreshToken(key, junk)).toBeUndefined();
  });
});
