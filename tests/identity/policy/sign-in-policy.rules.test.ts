import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkPolicy,
  DEFAULT_POLICY,
  isFrom,
  keepMaker,
  type Policy,
  type PolicyFacts,
  policyVerdict,
} from '../../../subgraphs/identity/policy/sign-in-policy.rules.ts';
import type { ProofMethod } from '../../../subgraphs/identity/session.rules.ts';

const NONE = { hasTotp: false, passkeys: 0, recoveryCodes: 0 };
const TOTP = { hasTotp: true, passkeys: 0, recoveryCodes: 9 };
const KEY = { hasTotp: false, passkeys: 1, recoveryCodes: 0 };
const MET = { kind: 'MET', mustDo: [] };
const ENROL = { kind: 'MET', mustDo: ['ENROL_SECOND_FACTOR'] };
const REFUSED = (why: string) => ({ kind: 'REFUSED', why });
const facts = (said: Partial<PolicyFacts>): PolicyFacts => ({
  kind: 'STAFF',
  roles: ['sales'],
  methods: ['PWD'],
  held: NONE,
  address: '198.51.100.7',
  ...said,
});
const policy = (said: Partial<Policy>): Policy => ({ ...DEFAULT_POLICY, ...said });
const SALES = { needsSecondFactor: ['sales'] };

describe('What a tenant’s policy says to somebody', () => {
  test.each<[string, Partial<Policy>, Partial<PolicyFacts>, object]>([
    ['nothing where it says nothing', {}, {}, MET],
    ['to enrol, where their role needs a second factor and they have none', SALES, {}, ENROL],
    ['nothing where another role needs one', SALES, { roles: ['auditor'] }, MET],
    ['to prove the one they have', SALES, { held: TOTP }, { kind: 'PROVE', answers: ['OTP', 'REC'] }],
    ['nothing once it was proved', SALES, { held: TOTP, methods: ['PWD', 'OTP'] }, MET],
    ['nothing once a recovery code stood in', SALES, { held: TOTP, methods: ['PWD', 'REC'] }, MET],
    ['nothing after a passkey, which is both', SALES, { held: KEY, methods: ['KEY'] }, MET],
    ['to enrol anew, once the one they proved is gone', SALES, { methods: ['PWD', 'OTP'] }, ENROL],
    ['nothing where their provider vouches for one', SALES, { methods: ['SSO', 'OTP'] }, MET],
    ['to enrol, to a platform administrator, whatever it says', {}, { roles: ['platform_admin'] }, ENROL],
    [
      'to prove a passkey, where no other second factor will do',
      { ...SALES, methods: ['PWD', 'KEY'] },
      { held: { ...TOTP, passkeys: 1 }, methods: ['PWD', 'OTP'] },
      { kind: 'PROVE', answers: ['KEY'] },
    ],
    ['to sign in another way', { methods: ['SSO'] }, {}, REFUSED('METHOD')],
    [
      'to prove a passkey, where it begins with nothing else',
      { methods: ['KEY'] },
      { held: KEY },
      { kind: 'PROVE', answers: ['KEY'] },
    ],
    ['nothing of methods to customers', { methods: ['SSO'] }, { kind: 'PORTAL', roles: ['customer'] }, MET],
    ['no, from another network', { addresses: ['192.0.2.0/24'] }, {}, REFUSED('ADDRESS')],
    ['no, from nowhere one could tell', { addresses: ['192.0.2.0/24'] }, { address: undefined }, REFUSED('ADDRESS')],
    ['nothing from its own network', { addresses: ['198.51.100.0/24'] }, {}, MET],
    ['nothing of networks to customers', { addresses: ['192.0.2.0/24'] }, { kind: 'PORTAL' }, MET],
  ])('%s', (_, said, of, verdict) => {
    expect(policyVerdict(policy(said), facts(of))).toEqual(verdict);
  });

  test('who meets a policy once asked for a proof meets it with that proof', () => {
    const methods = fc.subarray<ProofMethod>(['PWD', 'OTP', 'KEY', 'REC', 'OAUTH', 'SSO'], { minLength: 1 });
    const held = fc.record({ hasTotp: fc.boolean(), passkeys: fc.nat(2), recoveryCodes: fc.nat(2) });
    fc.assert(
      fc.property(methods, methods, held, fc.boolean(), (allowed, proved, has, isNeeded) => {
        const held = policy({ methods: allowed, needsSecondFactor: isNeeded ? ['sales'] : [] });
        const verdict = policyVerdict(held, facts({ methods: proved, held: has }));
        if (verdict.kind !== 'PROVE') return;
        expect(verdict.answers.length).toBeGreaterThan(0);
        for (const answer of verdict.answers) {
          const then = policyVerdict(held, facts({ methods: [...proved, answer], held: has }));
          expect(then.kind === 'MET' || then.kind === 'PROVE').toBe(true);
          if (then.kind === 'MET') expect(then.mustDo).toEqual([]);
        }
      }),
    );
  });
});

test.each([
  ['192.0.2.7', ['192.0.2.0/24'], true],
  ['192.0.3.7', ['192.0.2.0/24'], false],
  ['192.0.3.7', ['192.0.2.0/24', '192.0.3.0/28'], true],
  ['::ffff:192.0.2.7', ['192.0.2.0/24'], true],
  ['2001:db8::1', ['2001:db8::/32'], true],
  ['2001:db9::1', ['2001:db8::/32', '0.0.0.0/0'], false],
  ['junk', ['0.0.0.0/0'], false],
  ['junk', [], true],
])('%s is from %j: %s', (address, networks, isIt) => {
  expect(isFrom(networks, address)).toBe(isIt);
});

describe('A policy that cannot hold', () => {
  test.each<[Partial<Policy>, string, string]>([
    [{ idleMinutes: 14 }, 'INVALID', 'idleMinutes'],
    [{ idleMinutes: 1_441 }, 'INVALID', 'idleMinutes'],
    [{ maxHours: 0 }, 'INVALID', 'maxHours'],
    [{ maxHours: 169 }, 'INVALID', 'maxHours'],
    [{ portalIdleDays: 0 }, 'INVALID', 'portalIdleDays'],
    [{ portalMaxDays: 366 }, 'INVALID', 'portalMaxDays'],
    [{ needsSecondFactor: ['king'] }, 'INVALID', 'needsSecondFactor'],
    [{ methods: [] }, 'INVALID', 'methods'],
    [{ methods: ['OTP'] }, 'INVALID', 'methods'],
    [{ methods: ['PWD'], needsSecondFactor: ['sales'] }, 'INVALID', 'methods'],
    [{ addresses: ['192.0.2.0'] }, 'INVALID', 'addresses'],
    [{ addresses: ['192.0.2.0/33'] }, 'INVALID', 'addresses'],
    [{ addresses: ['example.com/24'] }, 'INVALID', 'addresses'],
    [{ addresses: Array.from({ length: 21 }, (_, i) => `192.0.${i}.0/24`) }, 'LIMIT_REACHED', 'addresses'],
  ])('%j is refused', (said, code, field) => {
    expect(() => checkPolicy(policy(said), ['sales'])).toThrow(expect.objectContaining({ code, field }));
  });

  test('is one that shuts out who makes it', () => {
    expect(() => keepMaker(policy({ addresses: ['192.0.2.0/24'] }), facts({}))).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'addresses' }),
    );
    expect(() => keepMaker(policy({ methods: ['SSO'] }), facts({}))).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'methods' }),
    );
  });
});
