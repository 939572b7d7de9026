import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answersOf, isStrong, stepsUpWith } from '../../../subgraphs/identity/factors/challenge.rules.ts';
import { hostOf } from '../../../subgraphs/identity/factors/passkey.rules.ts';
import { drawRecoveryCodes, hashOfCode } from '../../../subgraphs/identity/factors/recovery-code.rules.ts';
import { type ResetFacts, resetVerdict } from '../../../subgraphs/identity/factors/reset.rules.ts';
import { codeAt, stepOf } from '../../../subgraphs/identity/factors/totp.rules.ts';
import type { ProofMethod } from '../../../subgraphs/identity/session.rules.ts';

describe('A code of an authenticator app', () => {
  const secret = Buffer.from('12345678901234567890');
  const now = new Date(1_111_111_109_000);

  test.each([
    ['081804', 37_037_036n],
    ['731029', 37_037_035n],
    ['050471', 37_037_037n],
    ['081 804', 37_037_036n],
    ['266759', undefined],
    ['81804', undefined],
    ['abcdef', undefined],
    ['', undefined],
  ])('%s is that of step %s', (code, step) => {
    expect(stepOf(secret, code, now)).toBe(step);
  });

  test('is right for its own step and the two beside it, at any time and with any secret', () => {
    const key = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        key,
        fc.integer({ min: 100, max: 4_000_000_000 }),
        fc.integer({ min: -1, max: 1 }),
        (key, at, off) => {
          const shown = codeAt(key, new Date((at + off * 30) * 1_000));
          const found = stepOf(key, shown, new Date(at * 1_000));
          expect(found).toBeGreaterThanOrEqual(BigInt(Math.floor(at / 30) - 1));
          expect(found).toBeLessThanOrEqual(BigInt(Math.floor(at / 30) + 1));
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('recovery codes are ten different ones of ten letters, known however they are typed', () => {
  const codes = drawRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^[A-Z2-7]{10}$/);
    expect(hashOfCode(` ${code.slice(0, 5).toLowerCase()}-${code.slice(5)} `)).toBe(hashOfCode(code));
  }
  for (const odd of ['', 'ABCDEFGHI', 'ABCDEFGHIJK', 'ABCDEFGHI1']) expect(hashOfCode(odd)).toBeUndefined();
});

const held = (hasTotp: boolean, passkeys: number, recoveryCodes: number) => ({ hasTotp, passkeys, recoveryCodes });

test.each<[object, ReturnType<typeof held>, ProofMethod[], ProofMethod[]]>([
  [{ has: 'nothing' }, held(false, 0, 0), [], ['PWD']],
  [{ has: 'codes that stand in for nothing' }, held(false, 0, 3), [], ['PWD']],
  [{ has: 'an app' }, held(true, 0, 0), ['OTP'], ['OTP']],
  [{ has: 'an app and codes' }, held(true, 0, 3), ['OTP', 'REC'], ['OTP']],
  [{ has: 'all' }, held(true, 2, 3), ['OTP', 'KEY', 'REC'], ['OTP', 'KEY']],
])('who %j answers and steps up with what they have', (_, factors, answers, steps) => {
  expect(answersOf(factors)).toEqual(answers);
  expect(stepsUpWith(factors)).toEqual(steps);
});

test.each<[ProofMethod[], boolean, boolean]>([
  [['PWD'], false, true],
  [['PWD'], true, false],
  [['PWD', 'OTP'], true, true],
  [['PWD', 'REC'], true, true],
  [['KEY'], true, true],
  [['OAUTH'], false, false],
  [['SSO'], false, false],
])('%j of somebody with an app %s is a strong proof: %s', (methods, hasTotp, isIt) => {
  expect(isStrong(methods, held(hasTotp, 0, 0))).toBe(isIt);
});

test.each([
  ['http://localhost:4000', 'localhost'],
  ['https://portal.example', 'portal.example'],
  ['http://127.0.0.1:4000', null],
  ['http://[::1]:4000', null],
])('passkeys of %s are for %s', (origin, host) => {
  expect(hostOf(origin)).toBe(host);
});

describe('Who resets whose second factor', () => {
  const now = new Date(Date.UTC(2027, 2, 1));
  const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  const facts = (said: Partial<ResetFacts>): ResetFacts => ({
    askerId: 'admin',
    isPlatform: false,
    member: { userId: 'member', kind: 'STAFF' },
    isOwnAlone: true,
    waiting: null,
    ...said,
  });
  const elsewhere = { isPlatform: true, isOwnAlone: false };
  test.each<[string, Partial<ResetFacts>, string]>([
    ['a tenant that of its own staff', {}, 'RESET'],
    ['the platform, by one person, nobody’s yet', elsewhere, 'WAIT'],
    ['the same person twice is one', { ...elsewhere, waiting: { askedBy: 'admin', askedAt: ago(1) } }, 'WAIT'],
    ['a second person', { ...elsewhere, waiting: { askedBy: 'other', askedAt: ago(60) } }, 'RESET'],
    ['a second person too late', { ...elsewhere, waiting: { askedBy: 'other', askedAt: ago(61) } }, 'WAIT'],
  ])('%s', (_, said, verdict) => {
    expect(resetVerdict(facts(said), now)).toBe(verdict);
  });
  test.each<[string, Partial<ResetFacts>, string]>([
    ['one’s own', { askerId: 'member' }, 'FORBIDDEN'],
    ['that of somebody who works elsewhere too', { isOwnAlone: false }, 'INVALID_STATE'],
    ['a customer’s', { member: { userId: 'member', kind: 'PORTAL' } }, 'INVALID_STATE'],
  ])('no tenant %s', (_, said, code) => {
    expect(() => resetVerdict(facts(said), now)).toThrow(expect.objectContaining({ code }));
  });
});
