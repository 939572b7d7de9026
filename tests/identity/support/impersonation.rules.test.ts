import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PERMISSIONS, PLATFORM_PERMISSIONS, permissionsOf } from '../../../schema/permissions.ts';
import {
  advanceImpersonation,
  checkTerms,
  dueState,
  firstState,
  type ImpersonationState,
  isOpen,
  kindsFor,
  leftWhileActing,
} from '../../../subgraphs/identity/support/impersonation.rules.ts';

const STATES: ImpersonationState[] = ['WAITING', 'LIVE', 'REFUSED', 'LAPSED', 'ENDED'];

describe('An impersonation', () => {
  test.each([
    ['PLATFORM', 'READ', 'ASK', 'WAITING'],
    ['PLATFORM', 'ACT', 'ASK', 'WAITING'],
    ['PLATFORM', 'READ', 'ALWAYS', 'LIVE'],
    ['PLATFORM', 'ACT', 'ALWAYS', 'WAITING'],
    ['ISP', 'READ', 'NEVER', 'LIVE'],
  ] as const)('of %s to %s where the tenant says %s begins %s', (operator, mode, access, state) => {
    expect(firstState(operator, mode, access)).toBe(state);
  });

  test('of the platform never begins where the tenant says never', () => {
    for (const mode of ['READ', 'ACT'] as const)
      expect(() => firstState('PLATFORM', mode, 'NEVER')).toThrow('This tenant lets nobody of support in.');
  });

  test('moves forward only, and what is over stays over', () => {
    const moves = STATES.flatMap((from) => STATES.map((to) => [from, to] as const)).filter(([from, to]) => {
      try {
        return advanceImpersonation(from, to) === to;
      } catch {
        return false;
      }
    });
    expect(moves).toEqual([
      ['WAITING', 'LIVE'],
      ['WAITING', 'REFUSED'],
      ['WAITING', 'LAPSED'],
      ['WAITING', 'ENDED'],
      ['LIVE', 'ENDED'],
    ]);
    expect(STATES.filter(isOpen)).toEqual(['WAITING', 'LIVE']);
  });

  test.each([
    ['WAITING', -1, null],
    ['WAITING', 0, 'LAPSED'],
    ['LIVE', -1, null],
    ['LIVE', 0, 'ENDED'],
    ['LIVE', 60_000, 'ENDED'],
    ['ENDED', 60_000, null],
  ] as const)('that is %s, %i ms past its end, is %s', (state, late, due) => {
    const endsAt = new Date('2026-03-01T12:30:00Z');
    expect(dueState(state, endsAt, new Date(endsAt.getTime() + late))).toBe(due);
  });

  test.each([
    ['nine letters as reason', { reason: 'too short' }, 'PLATFORM', 'reason'],
    ['501 letters as reason', { reason: 'x'.repeat(501) }, 'PLATFORM', 'reason'],
    ['no ticket', { ticket: null }, 'PLATFORM', 'ticket'],
    ['61 letters as ticket', { ticket: 'T'.repeat(61) }, 'ISP', 'ticket'],
    ['the wish to act', { mode: 'ACT' }, 'ISP', 'mode'],
  ] as const)('asked for with %s is refused for its field', (_, asked, operator, field) => {
    const terms = { mode: 'READ' as const, reason: 'She cannot see her invoice.', ticket: 'T-1', ...asked };
    expect(() => checkTerms(terms, operator)).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test("lets an ISP's staff see through their subscribers' eyes alone", () => {
    expect(kindsFor('ISP')).toEqual(['PORTAL']);
  });

  test('leaves what the person may, without people, keys, licence, exports and the end of the tenant', () => {
    const admin = permissionsOf(['tenant_admin']);
    const left = leftWhileActing(admin);
    expect(admin.filter((permission) => !left.includes(permission))).toEqual(
      [
        ...['identity.api_key.manage', 'identity.impersonation.approve', 'identity.impersonation.customer'],
        ...[
          'identity.member.manage',
          'identity.policy.manage',
          'identity.portal_access.manage',
          'identity.role.manage',
        ],
        ...['licensing.file.issue', 'licensing.license.change', 'tenancy.domain.manage', 'tenancy.export.request'],
        ...['tenancy.invitation.manage', 'tenancy.tenant.close'],
      ].filter((permission) => !PLATFORM_PERMISSIONS.includes(permission as never)),
    );
    fc.assert(
      fc.property(fc.subarray([...PERMISSIONS]), (held) => {
        const kept = leftWhileActing(held);
        expect(kept.every((permission) => held.includes(permission))).toBe(true);
        expect(leftWhileActing(kept)).toEqual(kept);
      }),
    );
  });
});
