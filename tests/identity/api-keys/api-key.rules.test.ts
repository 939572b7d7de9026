import { PERMISSIONS, type Permission } from '../../../schema/permissions.ts';
import {
  type AskedKey,
  advanceKey,
  checkKey,
  type KeyFacts,
  nextMoveOf,
} from '../../../subgraphs/identity/api-keys/api-key.rules.ts';

const NOW = new Date('2027-03-01T12:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const asked: AskedKey = {
  name: 'Billing export',
  scopes: ['billing.customer.read'],
  addresses: [],
  requestsPerSecond: 20,
};
const everything = () => true;

describe('A key that is asked for', () => {
  test('lasts a year unless said otherwise, and keeps its networks in one spelling', () => {
    const addresses = ['192.0.2.77/24', '192.0.2.1', ' 2001:DB8::1/32 ', '192.0.2.0/24'];
    expect(checkKey({ ...asked, addresses }, everything, NOW)).toMatchObject({
      addresses: ['192.0.2.0/24', '192.0.2.1/32', '2001:db8::/32'],
      expiresAt: inDays(365),
    });
  });

  test.each([
    ['no name', { name: ' ' }, 'name'],
    ['no scope', { scopes: [] }, 'scopes'],
    ['61 scopes', { scopes: Array.from({ length: 61 }, (_, i) => `a.b.c${i}`) }, 'scopes'],
    ['a pattern', { scopes: ['billing.*'] }, 'scopes'],
    ['an unknown scope', { scopes: ['billing.customer.frame'] }, 'scopes'],
    ['a right over people', { scopes: ['identity.member.read'] }, 'scopes'],
    ['a right over the tenant', { scopes: ['tenancy.tenant.update'] }, 'scopes'],
    ['the right to change the licence', { scopes: ['licensing.license.change'] }, 'scopes'],
    ['21 networks', { addresses: Array.from({ length: 21 }, (_, i) => `10.0.${i}.0/24`) }, 'addresses'],
    ['a network that is none', { addresses: ['10.0.0.0/33'] }, 'addresses'],
    ['a host name for a network', { addresses: ['example.com'] }, 'addresses'],
    ['no request a second', { requestsPerSecond: 0 }, 'requestsPerSecond'],
    ['101 requests a second', { requestsPerSecond: 101 }, 'requestsPerSecond'],
    ['more than two years', { expiresAt: inDays(732) }, 'expiresAt'],
    ['an end that is past', { expiresAt: NOW }, 'expiresAt'],
  ])('is refused with %s', (_, wrong, field) => {
    expect(() => checkKey({ ...asked, ...wrong }, everything, NOW)).toThrow(
      expect.objectContaining({ code: 'INVALID', field }),
    );
  });

  test('carries nothing its maker lacks, whatever the right', () => {
    for (const scope of PERMISSIONS.filter(
      (name) => !/^identity|^tenancy\.(tenant|purge)|license\.change/.test(name),
    )) {
      const lacks = (permission: Permission) => permission !== scope;
      expect(() => checkKey({ ...asked, scopes: [scope] }, lacks, NOW)).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN' }),
      );
    }
  });
});

describe('What time does to a key', () => {
  const key: KeyFacts = {
    state: 'ACTIVE',
    expiresAt: inDays(60),
    retiresAt: null,
    reviewSince: null,
    warnedDays: null,
  };
  test.each<[string, Partial<KeyFacts>, object | null]>([
    ['warns 30 days before its end', {}, { at: inDays(30), move: 'WARN', days: 30 }],
    ['warns again 7 days before', { warnedDays: 30 }, { at: inDays(53), move: 'WARN', days: 7 }],
    ['and a day before', { warnedDays: 7 }, { at: inDays(59), move: 'WARN', days: 1 }],
    ['then it ends', { warnedDays: 1 }, { at: inDays(60), move: 'EXPIRE' }],
    [
      'one whose place is taken retires first',
      { state: 'ROTATING', retiresAt: inDays(1) },
      { at: inDays(1), move: 'RETIRE' },
    ],
    [
      'one nobody answers for is suspended after 14 days',
      { state: 'REVIEW', reviewSince: NOW },
      { at: inDays(14), move: 'SUSPEND' },
    ],
    ['a suspended one still ends', { state: 'SUSPENDED', warnedDays: 1 }, { at: inDays(60), move: 'EXPIRE' }],
    ['nothing more to one that is over', { state: 'REVOKED' }, null],
  ])('%s', (_, facts, move) => {
    expect(nextMoveOf({ ...key, ...facts })).toEqual(move);
  });

  test('what is over never comes back', () => {
    for (const from of ['RETIRED', 'REVOKED', 'EXPIRED'] as const)
      for (const to of ['ACTIVE', 'ROTATING', 'REVIEW', 'SUSPENDED'] as const)
        expect(() => advanceKey(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });
});
