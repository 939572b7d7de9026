import fc from 'fast-check';
import { matches, PERMISSIONS, PLATFORM_PERMISSIONS, ROLES } from '../../../schema/permissions.ts';
import { effectivePermissions } from '../../../subgraphs/identity/membership.rules.ts';
import {
  checkRole,
  permissionsOfRole,
  type RoleTerms,
  standsOn,
} from '../../../subgraphs/identity/roles/role.rules.ts';

const role = (key: string, terms: Partial<RoleTerms> = {}): RoleTerms => ({
  ...{ key, name: 'A role', basedOn: null, adds: [], removes: [], maxMembers: null },
  ...terms,
});
const among = (...roles: RoleTerms[]) => new Map(roles.map((one) => [one.key, one]));

describe('What a pattern names', () => {
  test.each([
    ['billing.*', 'billing.payment.record', true],
    ['billing.customer.*', 'billing.payment.record', false],
    ['*.*.read', 'network.inventory.read', true],
    ['*.*.read', 'network.inventory.manage', false],
    ['billing.**', 'billing.payment.record', false],
    ['Billing.*', 'billing.payment.record', false],
    ['*', 'billing.payment.record', false],
    ['*.*.*', 'billing.payment.record', false],
    ['', 'billing.payment.record', false],
  ])('%s and %s: %s', (pattern, permission, isNamed) => {
    expect(matches(pattern, permission)).toBe(isNamed);
  });
});

describe('What a role allows', () => {
  const junior = role('billing_junior', { basedOn: 'billing_manager', removes: ['billing.payment.record'] });

  test('is its base and what it adds, without what it removes', () => {
    const held = effectivePermissions(['billing_junior'], false, among(junior));
    expect(held).not.toContain('billing.payment.record');
    expect(held).toContain('billing.payment.read');
    const all = effectivePermissions(['billing_manager'], false);
    expect(held).toEqual(all.filter((permission) => permission !== 'billing.payment.record'));
  });

  test('is united over the roles: what one removes another may bring', () => {
    expect(effectivePermissions(['billing_junior', 'tenant_admin'], false, among(junior))).toContain(
      'billing.payment.record',
    );
  });

  test('manage contains read of its noun, by role and by grant', () => {
    const own = among(role('keeper', { adds: ['network.inventory.manage'] }));
    expect(effectivePermissions(['keeper'], false, own)).toEqual([
      'network.inventory.manage',
      'network.inventory.read',
    ]);
    expect(effectivePermissions([], false, own, ['network.plan.manage'])).toEqual([
      'network.plan.manage',
      'network.plan.read',
    ]);
  });

  test('a permission of the platform is held by nobody in an ISP, whatever a role or a grant says', () => {
    const own = among(role('greedy', { adds: ['tenancy.*', 'licensing.*', 'identity.*'] }));
    const held = effectivePermissions(['greedy'], false, own, ['tenancy.fleet.manage']);
    expect(held.filter((permission) => PLATFORM_PERMISSIONS.includes(permission))).toEqual([]);
  });

  test('each permission is there exactly if the rule says so, for any patterns', () => {
    const pattern = fc.oneof(
      fc.constantFrom(...PERMISSIONS),
      fc.constantFrom('billing.*', 'crm.*', 'network.*', '*.*.read', '*.*.manage', 'tickets.ticket.*'),
    );
    const patterns = fc.array(pattern, { maxLength: 5 });
    const base = fc.option(fc.constantFrom(...Object.keys(ROLES)), { nil: null });
    fc.assert(
      fc.property(patterns, patterns, base, (adds, removes, basedOn) => {
        const held = permissionsOfRole('mine', among(role('mine', { adds, removes, basedOn })));
        const ofBase = new Set<string>(basedOn ? effectivePermissions([basedOn], true) : []);
        for (const permission of PERMISSIONS) {
          const manage = permission.replace(/\.read$/, '.manage');
          const isAdded = adds.some(
            (one) => matches(one, permission) || (manage !== permission && matches(one, manage)),
          );
          const isRemoved = removes.some((one) => matches(one, permission));
          const exists = manage === permission || (PERMISSIONS as readonly string[]).includes(manage);
          const expected =
            (ofBase.has(permission) || (isAdded && (exists || adds.some((one) => matches(one, permission))))) &&
            !isRemoved;
          expect([permission, held.has(permission)]).toEqual([permission, expected]);
        }
      }),
    );
  });

  test('fifty roles of sixty patterns are expanded in a few milliseconds', () => {
    const own = among(
      ...Array.from({ length: 50 }, (_, i) =>
        role(`role_${i}`, { basedOn: i % 3 ? `role_${i - 1}` : 'auditor', adds: [...PERMISSIONS].slice(0, 60) }),
      ),
    );
    for (const key of own.keys()) expect(permissionsOfRole(key, own).size).toBeGreaterThan(50);
  });
});

describe('A role an ISP makes', () => {
  const refused = (terms: Partial<RoleTerms>, own = among()) => {
    expect(() => checkRole(role('mine', terms), own, false)).toThrow(expect.objectContaining({ code: 'INVALID' }));
    try {
      checkRole(role('mine', terms), own, false);
    } catch (refusal) {
      return (refusal as { field: string }).field;
    }
    return undefined;
  };

  test.each([
    ['a pattern of two stars', { adds: ['billing.**'] }, 'adds'],
    ['a pattern in capitals', { adds: ['Billing.*'] }, 'adds'],
    ['a star alone', { removes: ['*'] }, 'removes'],
    ['an unknown permission', { adds: ['billing.invoice.frame'] }, 'adds'],
    ['a permission of the platform', { adds: ['tenancy.fleet.read'] }, 'adds'],
    ['61 patterns', { adds: Array.from({ length: 61 }, () => 'billing.*') }, 'adds'],
    ['the key of a built-in role', { key: 'auditor' }, 'key'],
    ['a key with a hyphen', { key: 'junior-billing' }, 'key'],
    ['a key of two letters', { key: 'ab' }, 'key'],
    ['no name', { name: ' ' }, 'name'],
    ['itself as base', { basedOn: 'mine' }, 'basedOn'],
    ['an unknown base', { basedOn: 'king' }, 'basedOn'],
    ['the base of the platform', { basedOn: 'platform_admin' }, 'basedOn'],
    ['the base of subscribers', { basedOn: 'customer' }, 'basedOn'],
    ['read taken away where manage stays', { adds: ['crm.contact.manage'], removes: ['crm.contact.read'] }, 'removes'],
    ['room for nobody', { maxMembers: 0 }, 'maxMembers'],
  ])('is refused with %s', (_, terms, field) => {
    expect(refused(terms)).toBe(field);
  });

  test('stands on others at most three levels deep, and never in a circle', () => {
    const own = among(
      role('one', { basedOn: 'auditor' }),
      role('two', { basedOn: 'one' }),
      role('three', { basedOn: 'two' }),
    );
    expect(refused({ basedOn: 'three' }, own)).toBe('basedOn');
    expect(() => checkRole(role('mine', { basedOn: 'two' }), own, false)).not.toThrow();
    expect(() => checkRole(role('one', { basedOn: 'three' }), own, false)).toThrow(/stand on itself/);
    const lifted = among(
      role('base', { basedOn: null }),
      ...[...own.values()].map((one) => (one.key === 'one' ? { ...one, basedOn: 'base' } : one)),
    );
    expect(() => checkRole(role('base', { basedOn: 'auditor' }), lifted, false)).toThrow(/levels deep/);
    expect(standsOn('three', 'one', own)).toBe(true);
    expect(standsOn('one', 'three', own)).toBe(false);
  });

  test('keeps each pattern once, and its texts trimmed', () => {
    const checked = checkRole(role('mine', { name: ' Cashier ', adds: ['billing.*', 'billing.*'] }), among(), false);
    expect(checked).toMatchObject({ name: 'Cashier', adds: ['billing.*'] });
  });
});
