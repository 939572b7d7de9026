import fc from 'fast-check';
import { type Permission, PLATFORM_PERMISSIONS, permissionsOf, ROLES } from '../../schema/permissions.ts';
import {
  advance,
  checkGiving,
  checkReason,
  checkRoles,
  effectivePermissions,
  keepAnAdmin,
  type MembershipState,
  rolesIn,
} from '../../subgraphs/identity/membership.rules.ts';

const giver = (userId: string, ...roles: string[]) => {
  const held = new Set<Permission>(permissionsOf(roles));
  return { userId, roles, holds: (permission: Permission) => held.has(permission) };
};

describe('The roles of a member', () => {
  test('no role of an ISP holds a permission of the platform, whatever it is called', () => {
    for (const role of Object.keys(ROLES)) {
      const held = effectivePermissions([role], false);
      expect(held.filter((permission) => PLATFORM_PERMISSIONS.includes(permission))).toEqual([]);
    }
    expect(effectivePermissions(['platform_admin'], true)).toContain('tenancy.fleet.read');
    expect(rolesIn(false)).not.toContain('platform_admin');
  });

  test('more roles never allow less', () => {
    const some = fc.subarray(Object.keys(ROLES));
    fc.assert(
      fc.property(some, some, (one, other) => {
        const both = effectivePermissions([...one, ...other], false);
        expect(both).toEqual(expect.arrayContaining(effectivePermissions(one, false)));
      }),
    );
  });

  test('are 1 to 5 that exist here, each once', () => {
    expect(checkRoles(['sales', 'sales'], 'STAFF', false)).toEqual(['sales']);
    expect(checkRoles(['platform_admin'], 'STAFF', true)).toEqual(['platform_admin']);
    expect(checkRoles(['customer'], 'PORTAL', false)).toEqual(['customer']);
  });

  test.each([
    ['none', [], 'STAFF'],
    ['six', ['sales', 'auditor', 'technician', 'dispatcher', 'support_agent', 'network_engineer'], 'STAFF'],
    ['an unknown one', ['king'], 'STAFF'],
    ['a name of the language', ['constructor'], 'STAFF'],
    ['a platform role in an ISP', ['platform_admin'], 'STAFF'],
    ['a staff role for a customer', ['auditor'], 'PORTAL'],
    ['the role of customers for staff', ['customer'], 'STAFF'],
  ] as const)('are not %s', (_, roles, kind) => {
    expect(() => checkRoles(roles, kind, false)).toThrow(expect.objectContaining({ code: 'INVALID', field: 'roles' }));
  });
});

describe('Who may give a role', () => {
  test('an administrator gives any', () => {
    for (const role of rolesIn(false))
      expect(() =>
        checkGiving(giver('ingrid', 'tenant_admin'), 'nils', [role], effectivePermissions([role], false)),
      ).not.toThrow();
  });

  test.each([
    ['their own', giver('ingrid', 'tenant_admin'), 'ingrid', ['auditor'], /own roles/],
    ['more than they hold', giver('mira', 'billing_manager'), 'nils', ['network_engineer'], /do not hold/],
    [
      'administrator, unless they are one',
      giver('mira', 'auditor'),
      'nils',
      ['tenant_admin'],
      /makes an administrator/,
    ],
  ] as const)('nobody gives %s', (_, from, to, roles, sentence) => {
    const give = () => checkGiving(from, to, roles, effectivePermissions(roles, false));
    expect(give).toThrow(sentence);
    expect(give).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });
});

describe('A tenant keeps an administrator', () => {
  test.each([
    ['the last one is not removed', true, false, 0, false],
    ['one of two is', true, false, 1, true],
    ['the last one may change other roles', true, true, 0, true],
    ['somebody else is removed', false, false, 1, true],
  ])('%s', (_, isAdmin, staysOne, others, isAllowed) => {
    const change = () => keepAnAdmin(isAdmin, staysOne, others);
    if (isAllowed) expect(change).not.toThrow();
    else expect(change).toThrow('A tenant keeps at least one administrator.');
  });
});

describe('The course of a membership', () => {
  const allowed = ['ACTIVE>SUSPENDED', 'ACTIVE>FROZEN', 'ACTIVE>ENDED', 'SUSPENDED>ACTIVE', 'SUSPENDED>ENDED'];
  allowed.push('FROZEN>ACTIVE', 'FROZEN>ENDED');
  const states: MembershipState[] = ['ACTIVE', 'SUSPENDED', 'FROZEN', 'ENDED'];
  test.each(states.flatMap((from) => states.map((to) => [from, to] as const)))('from %s to %s', (from, to) => {
    if (allowed.includes(`${from}>${to}`)) expect(advance(from, to)).toBe(to);
    else expect(() => advance(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });
});

test('A reason is a line or two', () => {
  expect(checkReason(' left the company ')).toBe('left the company');
  expect(checkReason(null)).toBeUndefined();
  expect(() => checkReason('x'.repeat(201))).toThrow(expect.objectContaining({ code: 'INVALID', field: 'reason' }));
});
