import { checkMovable, checkMove } from '../../../subgraphs/tenancy/placement/move.rules.ts';
import { homeNameOf, regionFor, regionOf } from '../../../subgraphs/tenancy/placement/placement.rules.ts';

const refusalOf = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('Where a tenant may live', () => {
  test.each([
    ['DE', 'Europe/Berlin', 'eu'],
    ['IE', 'UTC', 'eu'],
    ['GB', 'Europe/London', 'uk'],
    ['CA', 'America/Toronto', 'canada'],
    ['AE', 'Asia/Dubai', 'middle_east'],
    ['US', 'America/Denver', 'us'],
    ['BR', 'America/Sao_Paulo', 'us'],
    ['NG', 'Africa/Lagos', 'africa'],
    ['PH', 'Asia/Manila', 'apac'],
    ['NZ', 'Pacific/Auckland', 'australia'],
  ])('a new tenant of %s in %s goes to %s', (country, zone, region) => {
    expect(regionOf({ country, zone })).toBe(region);
  });

  test.each([
    ['eu', 'DE', undefined, 'eu'],
    ['us', 'DE', undefined, 'INVALID'],
    ['us', 'BR', undefined, 'us'],
    ['eu', 'BR', undefined, 'eu'],
    ['eu', 'BR', 'us', 'INVALID'],
    ['us', 'BR', 'us', 'us'],
    ['moon', 'BR', undefined, 'INVALID'],
    ['', 'BR', undefined, 'INVALID'],
  ])('asked for %s, one of %s that bound itself to %s: %s', (asked, country, setByTenant, verdict) => {
    expect(refusalOf(() => regionFor(asked, country, setByTenant))).toBe(verdict);
  });

  test.each([
    ['PRODUCTION', 'ACTIVE', undefined],
    ['SANDBOX', 'ACTIVE', undefined],
    ['PRODUCTION', 'SUSPENDED', undefined],
    ['PLATFORM', 'ACTIVE', 'INVALID_STATE'],
    ['PRODUCTION', 'PROVISIONING', 'INVALID_STATE'],
    ['PRODUCTION', 'CLOSING', 'INVALID_STATE'],
    ['PRODUCTION', 'PURGED', 'INVALID_STATE'],
  ] as const)('%s that is %s: %s', (kind, state, verdict) => {
    expect(refusalOf(() => checkMovable({ kind, state }))).toBe(verdict);
  });

  test.each([
    ['SHARED', 'eu', 'SHARED', 'eu', 'INVALID_STATE'],
    ['SHARED', 'eu', 'SHARED', 'us', 'INVALID_STATE'],
    ['SHARED', 'eu', 'DEDICATED', 'eu', undefined],
    ['DEDICATED', 'us', 'DEDICATED', 'us', 'INVALID_STATE'],
    ['DEDICATED', 'us', 'DEDICATED', 'eu', undefined],
    ['DEDICATED', 'us', 'SHARED', 'us', undefined],
  ] as const)('from %s %s to %s %s: %s', (isolation, region, to, toRegion, verdict) => {
    expect(refusalOf(() => checkMove({ isolation, region }, { isolation: to, region: toRegion }))).toBe(verdict);
  });

  test('the name of a home is short, new with each move, and one of an identifier', () => {
    const name = homeNameOf('01990000-0000-7000-8000-000000000a05', 2);
    expect(name).toBe('h000000000a05_2');
    expect(homeNameOf('01990000-0000-7000-8000-000000000a05', 3)).not.toBe(name);
    expect(`dotmac_${'0'.repeat(32)}_${name}`.length).toBeLessThan(64);
  });
});
