import { type Candidate, chooseMembership, usableOf } from '../../subgraphs/identity/sign-in.rules.ts';

const place = (id: string, other: Partial<Candidate> = {}): Candidate => ({
  id,
  slug: id,
  tenantState: 'ACTIVE',
  state: 'ACTIVE',
  roles: ['support_agent'],
  ...other,
});
const [kestrel, northwind, harbour] = [place('kestrel'), place('northwind'), place('harbour')];
const sable = place('sable', { tenantState: 'SUSPENDED' });

describe('The tenant a sign-in begins in', () => {
  test.each([
    ['the only one', [kestrel], null, null, 'kestrel'],
    ['the one asked for', [northwind, harbour], 'harbour', 'northwind', 'harbour'],
    ['of several, the one used last', [northwind, harbour], null, 'harbour', 'harbour'],
    ['none, when none of several was used yet', [northwind, harbour], null, null, undefined],
    ['none, when the one used last is gone', [northwind, harbour], null, 'kestrel', undefined],
    ['none, for somebody who is a member nowhere', [], null, null, undefined],
    [
      'none, for somebody who is suspended everywhere',
      [place('kestrel', { state: 'SUSPENDED' })],
      null,
      null,
      undefined,
    ],
    ['the other one, when one is suspended', [kestrel, sable], null, 'sable', 'kestrel'],
    ['a suspended one, for its administrator', [{ ...sable, roles: ['tenant_admin'] }], null, null, 'sable'],
    ['a suspended one, for its billing manager', [{ ...sable, roles: ['billing_manager'] }], 'sable', null, 'sable'],
  ] as const)('is %s', (_, places, slug, lastId, chosen) => {
    expect(chooseMembership(places, slug, lastId)?.id).toBe(chosen);
  });

  test('is refused when they are no member of it, the same for one that does not exist', () => {
    const refusals = ['northwind', 'nowhere'].map((slug) => {
      try {
        return chooseMembership([kestrel], slug, null);
      } catch (refusal) {
        return refusal;
      }
    });
    expect(refusals[0]).toMatchObject({ code: 'INVALID', field: 'tenant' });
    expect(refusals[1]).toEqual(refusals[0]);
  });

  test('is refused when it is suspended and they do not run it', () => {
    expect(() => chooseMembership([sable], null, null)).toThrow('This tenant is suspended.');
    expect(() => chooseMembership([kestrel, sable], 'sable', null)).toThrow('This tenant is suspended.');
  });

  test('is refused when they ask for one that has no seat for them; elsewhere and unasked they go on', () => {
    const frozen = place('northwind', { state: 'FROZEN' });
    expect(() => chooseMembership([kestrel, frozen], 'northwind', null)).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE', field: 'tenant' }),
    );
    expect(chooseMembership([kestrel, frozen], null, 'northwind')?.id).toBe('kestrel');
    expect(chooseMembership([frozen], null, 'northwind')).toBeNull();
  });

  test('of two portal accounts at one ISP, is the one used last or none', () => {
    const two = [place('a', { slug: 'kestrel' }), place('b', { slug: 'kestrel' })];
    expect(chooseMembership(two, 'kestrel', 'b')?.id).toBe('b');
    expect(chooseMembership(two, 'kestrel', null)).toBeNull();
  });

  test('is refused when it is a portal that is closed; where they work they go on', () => {
    const closed = place('northwind', { isClosed: true });
    expect(() => chooseMembership([closed], null, null)).toThrow('The portal is closed at the moment.');
    expect(chooseMembership([kestrel, closed], null, 'northwind')?.id).toBe('kestrel');
  });

  test('is chosen only among what they could use', () => {
    expect(usableOf([kestrel, sable, place('x', { state: 'ENDED' })])).toEqual([kestrel]);
  });
});
