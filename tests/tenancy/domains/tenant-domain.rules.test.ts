import fc from 'fast-check';
import {
  advance,
  afterCheck,
  certificateAt,
  type DomainState,
  hostOf,
  nextPendingCheck,
  recordOf,
  type Standing,
} from '../../../subgraphs/tenancy/domains/tenant-domain.rules.ts';

const OWN = ['isp.example', 'localhost'];
const AT = new Date('2027-03-17T12:00:00Z');
const later = (minutes: number) => new Date(AT.getTime() + minutes * 60_000);
const HOUR = 60;
const DAY = 24 * HOUR;

describe('The name of a domain', () => {
  test.each([
    ['portal.northwind.example', 'portal.northwind.example'],
    [' Portal.Northwind.Example. ', 'portal.northwind.example'],
    ['portal.bücher.example', 'portal.xn--bcher-kva.example'],
    ['example.co.uk', 'example.co.uk'],
  ])('%j is %s', (typed, host) => {
    expect(hostOf(typed, OWN)).toBe(host);
  });

  test.each([
    '10.0.0.1',
    '0x0a000001',
    '[2001:db8::1]',
    '2001:db8::1',
    'localhost',
    'com',
    'co.uk',
    'github.io',
    'portal.example.com:443',
    'portal.example.com/path',
    'https://portal.example.com',
    'user@example.com',
    'portal.exam\u0000ple.com',
    'portal.exa mple.com',
    '*.example.com',
    '-a.example.com',
    'a..example.com',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(130)}example.com`,
    'isp.example',
    'kestrel.isp.example',
    '',
  ])('%j is none anybody can own', (typed) => {
    expect(() => hostOf(typed, OWN)).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'host', message: 'This is not a domain name you can own.' }),
    );
  });

  test('whatever is typed, what comes out is a host that is taken as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.webAuthority()), (typed) => {
        let host: string;
        try {
          host = hostOf(typed, OWN);
        } catch {
          return true;
        }
        return hostOf(host, OWN) === host && /^[a-z0-9.-]+$/.test(host);
      }),
    );
  });

  test('is proved by a challenge of its own, or by leading to the tenant’s platform name', () => {
    const challenge = 'x'.repeat(43);
    expect(recordOf('a.example', 'DNS_TXT', 'k.isp.example', challenge)).toEqual({
      ...{ recordName: '_isp-challenge.a.example', recordValue: `isp-verify=${challenge}` },
    });
    expect(recordOf('a.example', 'DNS_CNAME', 'k.isp.example', challenge)).toEqual({
      ...{ recordName: 'a.example', recordValue: 'k.isp.example' },
    });
  });
});

describe('A domain', () => {
  const held = (over: Partial<Standing>): Standing => ({
    ...{ state: 'PENDING', failedChecks: 0, checks: 0, createdAt: AT, expiresAt: later(72 * HOUR) },
    ...over,
  });

  test('that is claimed is looked at after 1, 5 and 15 minutes, then hourly, for 72 hours', () => {
    expect([0, 1, 2].map((checks) => nextPendingCheck(AT, checks, AT))).toEqual([later(1), later(5), later(15)]);
    expect(nextPendingCheck(AT, 3, later(15))).toEqual(later(75));
    expect(afterCheck(held({}), false, later(1))).toMatchObject({ state: 'PENDING', checks: 1, nextCheckAt: later(5) });
    expect(afterCheck(held({}), true, later(1))).toMatchObject({ state: 'VERIFIED', expiresAt: null });
    expect(afterCheck(held({}), false, later(72 * HOUR))).toMatchObject({ state: 'EXPIRED', nextCheckAt: null });
    expect(afterCheck(held({}), true, later(72 * HOUR))).toMatchObject({ state: 'EXPIRED' });
  });

  test('that is held is lost after three failed daily checks in a row, and back or released within 72 hours', () => {
    const active = held({ state: 'ACTIVE', expiresAt: null });
    const first = afterCheck(active, false, AT);
    expect(first).toMatchObject({ state: 'ACTIVE', failedChecks: 1, nextCheckAt: later(DAY) });
    expect(afterCheck({ ...active, ...first }, true, AT)).toMatchObject({ state: 'ACTIVE', failedChecks: 0 });
    const second = afterCheck({ ...active, ...first }, false, AT);
    const third = afterCheck({ ...active, ...second }, false, AT);
    expect(third).toMatchObject({ state: 'LOST', expiresAt: later(72 * HOUR), nextCheckAt: later(HOUR) });
    expect(afterCheck({ ...active, ...third }, true, later(71 * HOUR))).toMatchObject({ state: 'VERIFIED' });
    expect(afterCheck({ ...active, ...third }, false, later(72 * HOUR))).toMatchObject({ state: 'RELEASED' });
  });

  test('is not lost by looks somebody asked for in between', () => {
    const active = held({ state: 'ACTIVE', failedChecks: 2, expiresAt: null });
    expect(afterCheck(active, false, AT, false)).toMatchObject({ state: 'ACTIVE', failedChecks: 2 });
  });

  test('never comes back once it is released', () => {
    for (const to of ['PENDING', 'VERIFIED', 'ACTIVE', 'LOST', 'EXPIRED'] as DomainState[])
      expect(() => advance('RELEASED', to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  test('has its certificate replaced thirty days before it ends', () => {
    expect(certificateAt(null, AT)).toBe('PENDING');
    expect(certificateAt(AT, AT)).toBe('PENDING');
    expect(certificateAt(later(30 * DAY), AT)).toBe('EXPIRING');
    expect(certificateAt(later(30 * DAY + 1), AT)).toBe('ISSUED');
  });
});
