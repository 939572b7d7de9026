import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkDomain,
  type DomainStanding,
  recordName,
  recordValue,
  standingAfter,
} from '../../../subgraphs/identity/providers/email-domain.rules.ts';
import {
  assertsSecondFactor,
  checkReturnTo,
  domainOf,
  groupsOf,
  isVerifierOf,
  withParameter,
} from '../../../subgraphs/identity/providers/provider.rules.ts';
import {
  isPublic,
  isSecure,
  leadsOutside,
  PrivateAddress,
  publicFetch,
} from '../../../subgraphs/identity/providers/public-fetch.ts';
import {
  advanceSso,
  checkIssuer,
  checkReady,
  rolesBy,
} from '../../../subgraphs/identity/providers/sso-connection.rules.ts';
import { openLiar } from '../../setup/liar.ts';

describe('a verifier', () => {
  const [verifier, challenge] = [
    'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  ];

  test('fits the challenge that was made of it, as in RFC 7636, appendix B', () => {
    expect(isVerifierOf(challenge, verifier)).toBe(true);
  });

  test('that is any other text does not', () => {
    fc.assert(fc.property(fc.string(), (other) => other === verifier || !isVerifierOf(challenge, other)));
  });
});

describe('a page to return to', () => {
  const ours = ['https://portal.example', 'http://localhost:4000'];

  test.each([
    ['https://portal.example/a?b=c#d', 'https://portal.example/a?b=c'],
    ['http://localhost:4000', 'http://localhost:4000/'],
  ])('%s is on our portal', (typed, kept) => {
    expect(checkReturnTo(typed, ours)).toBe(kept);
  });

  test.each([
    'http://portal.example/',
    'https://portal.example:8443/',
    'https://x@portal.example/',
    'https:portal',
    '',
  ])('%j is not', (typed) => {
    expect(() => checkReturnTo(typed, ours)).toThrow('This page is on none of our portals.');
  });

  test('keeps what it had, and gets one parameter, whatever the page brought of that name', () => {
    expect(withParameter('https://portal.example/a?code=forged&b=c', 'code', 'x')).toBe(
      'https://portal.example/a?code=x&b=c',
    );
  });
});

test.each<[unknown, boolean]>([
  [['mfa'], true],
  [['pwd', 'otp'], true],
  [['pwd'], false],
  [['pwd', 'sms'], false],
  ['mfa', false],
  [undefined, false],
])('amr %j asserts a second factor: %s', (amr, is) => {
  expect(assertsSecondFactor(amr)).toBe(is);
});

test('groups are what a token lists as groups and roles, and nothing that is no text', () => {
  expect(groupsOf({ groups: ['a', 1, null], roles: ['b'] })).toEqual(['a', 'b']);
  expect(groupsOf({ groups: 'a' })).toEqual([]);
});

test.each([
  ['lia@atlas.example', 'atlas.example'],
  ['"a@b"@c.example', 'c.example'],
  [null, null],
])('the domain of %s is %s', (email, domain) => {
  expect(domainOf(email)).toBe(domain);
});

describe('a domain', () => {
  test.each([
    ['Atlas.Example', 'atlas.example'],
    [' bücher.example ', 'xn--bcher-kva.example'],
  ])('%s is kept as %s', (typed, kept) => {
    expect(checkDomain(typed)).toBe(kept);
  });

  test.each([
    '',
    'example',
    'a@b.example',
    'https://a.example',
    '-a.example',
    '1.2.3.4',
    `${'a'.repeat(64)}.example`,
  ])('%j is none', (typed) => {
    expect(() => checkDomain(typed)).toThrow('A domain looks like example.com.');
  });

  test('is proved by its TXT record', () => {
    expect([recordName('atlas.example'), recordValue('abc')]).toEqual(['_isp-login.atlas.example', 'isp-login=abc']);
  });

  test('is lost after three checks in a row that find nothing, and comes back with the next that does', () => {
    const states: string[] = [];
    let standing: DomainStanding = { state: 'PROVED', failures: 0 };
    for (const isFound of [false, false, true, false, false, false, false, true]) {
      standing = standingAfter(standing, isFound);
      states.push(standing.state);
    }
    expect(states).toEqual(['PROVED', 'PROVED', 'PROVED', 'PROVED', 'PROVED', 'LOST', 'LOST', 'PROVED']);
  });
});

describe('a connection', () => {
  test.each([
    ['DRAFT', 'ACTIVE', true],
    ['DRAFT', 'OFF', true],
    ['ACTIVE', 'OFF', true],
    ['OFF', 'ACTIVE', true],
    ['ACTIVE', 'ACTIVE', false],
    ['OFF', 'DRAFT', false],
  ] as const)('may go from %s to %s: %s', (from, to, may) => {
    if (may) expect(advanceSso(from, to)).toBe(to);
    else expect(() => advanceSso(from, to)).toThrow(`The connection is ${from}.`);
  });

  test('is ready with a proved domain and a sign-in that went well', () => {
    expect(() => checkReady(0, new Date())).toThrow('None of its domains is proved.');
    expect(() => checkReady(1, null)).toThrow('Nobody has signed in with it yet. Please try it first.');
    checkReady(1, new Date());
  });

  test.each([
    '',
    'login.example',
    'ftp://login.example',
    'https://login.example?x',
    'https://login.example#x',
  ])('has no issuer %j', (typed) => {
    expect(() => checkIssuer(typed)).toThrow();
  });

  test('gives each role once, of the groups it maps', () => {
    const map = [
      { value: 'noc', role: 'network_engineer' },
      { value: 'field', role: 'technician' },
      { value: 'core', role: 'network_engineer' },
    ];
    expect(rolesBy(map, ['core', 'noc', 'cooks'])).toEqual(['network_engineer']);
    expect(rolesBy(map, ['cooks'])).toEqual([]);
  });
});

describe('an address', () => {
  test.each([
    ['93.184.216.34', true],
    ['2606:2800:220:1::1', true],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['127.0.0.1', false],
    ['224.0.0.1', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['::ffff:10.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['2002:a00:1::1', false],
  ])('%s is public: %s', (address, is) => {
    expect(isPublic(address, false)).toBe(is);
  });

  test.each<[string, production: boolean, development: boolean]>([
    ['https://login.example', true, true],
    ['http://login.example', false, false],
    ['http://127.0.0.1:4009', false, true],
    ['http://localhost:4009', false, true],
    ['http://10.0.0.1', false, false],
    ['https://user@login.example', false, false],
    ['file:///etc/passwd', false, false],
  ])('%s may be asked in production %s, in development %s', (url, production, development) => {
    expect([isSecure(new URL(url), false), isSecure(new URL(url), true)]).toEqual([production, development]);
  });

  test.each([
    'https://127.0.0.1',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://localhost',
    'https://2130706433',
  ])('%s leads nowhere outside, and is not asked', async (url) => {
    expect(await leadsOutside(new URL(url), false)).toBe(false);
    const fault = await publicFetch(false)(url).catch((error: Error) => error);
    const reason = fault instanceof PrivateAddress ? fault : (fault as Error).cause;
    expect(reason).toBeInstanceOf(PrivateAddress);
  });

  test('that sends elsewhere is not followed', async () => {
    const liar = await openLiar((response) => void response.writeHead(302, { location: 'http://10.0.0.1/' }).end());
    try {
      expect((await publicFetch(true)(liar.url)).status).toBe(302);
    } finally {
      await liar.close();
    }
  });
});
