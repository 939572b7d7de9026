import fc from 'fast-check';
import { uuidv7 } from 'uuidv7';
import { advancePerson, mayReset } from '../../../subgraphs/identity/accounts/account.rules.ts';
import { locks, lockTokenOf, subjectOfLock } from '../../../subgraphs/identity/accounts/account-lock.rules.ts';
import { areaOf, deviceMarkOf, deviceOf } from '../../../subgraphs/identity/accounts/device.rules.ts';
import { drawProofToken, hashOfProof } from '../../../subgraphs/identity/accounts/mail-proof.rules.ts';
import { checkPassword } from '../../../subgraphs/identity/accounts/password.rules.ts';
import type { UserState } from '../../../subgraphs/identity/user.rules.ts';

const KEY = Buffer.alloc(32, 7);
const OTHER_KEY = Buffer.alloc(32, 8);
const DAY_MS = 86_400_000;

describe('A password', () => {
  const staff = {
    realm: 'STAFF',
    email: 'margarethe@isp.example',
    displayName: 'Greta van Damme',
    slugs: ['longest-slug-of-all'],
  };
  const portal = { ...staff, realm: '01990000-0000-7000-8000-000000000012' };
  const [LENGTH, PORTAL, USED, OWN] = [
    'A password has 12 to 128 characters.',
    'A password has 10 to 128 characters.',
    'This password is one of the most used ones.',
    'A password is not your mail address, your name or that of your provider.',
  ];
  test.each([
    ['eleven letters', staff, 'elevenchars', LENGTH],
    ['twelve', staff, 'twelve chars', null],
    ['twelve emoji, one character each', staff, '😀'.repeat(12), null],
    ['nine letters of a subscriber', portal, 'nine char', PORTAL],
    ['ten of a subscriber', portal, 'ten-chars!', null],
    ['128 letters', staff, 'ab'.repeat(64), null],
    ['129 letters', staff, `${'ab'.repeat(64)}c`, LENGTH],
    ['128 characters in 512 bytes', staff, '😀'.repeat(128), null],
    ['513 bytes, which are 129 characters at least', staff, `${'😀'.repeat(128)}a`, LENGTH],
    ['a most used one', staff, 'password1234', USED],
    ['the same in capitals', staff, 'PASSWORD1234', USED],
    ['a most used one of ten letters', portal, '1234567890', USED],
    ['their mail', staff, 'Margarethe@ISP.example', OWN],
    ['its first half', portal, 'margarethe', OWN],
    ['their name without blanks', staff, 'gretavandamme', OWN],
    ['the slug of a tenant', staff, 'longest-slug-of-all', OWN],
    ['only one kind of letter: no composition is asked for', staff, 'aaaaaaaaabbb', null],
  ])('%s', (_, bearer, typed, sentence) => {
    if (sentence === null) expect(checkPassword(typed, bearer)).toBe(typed.normalize('NFC'));
    else expect(() => checkPassword(typed, bearer)).toThrow(sentence);
  });

  test('of half a character is no text', () => {
    expect(() => checkPassword('half a letter \ud800', staff)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
  });

  test('is the same in every spelling of its letters', () => {
    expect(checkPassword('cre\u0300me bru\u0302le\u0301e', staff)).toBe('crème brûlée');
  });
});

test.each([
  ['INVITED', ['ACTIVE', 'ERASED']],
  ['UNPROVED', ['ACTIVE', 'ERASED']],
  ['ACTIVE', ['SUSPENDED', 'ERASED']],
  ['SUSPENDED', ['ACTIVE', 'ERASED']],
  ['ERASED', []],
] as [UserState, UserState[]][])('A person who is %s becomes %p and nothing else', (from, allowed) => {
  for (const to of ['INVITED', 'UNPROVED', 'ACTIVE', 'SUSPENDED', 'ERASED'] as const)
    if (allowed.includes(to)) expect(advancePerson(from, to)).toBe(to);
    else expect(() => advancePerson(from, to)).toThrow('cannot become');
});

test.each([
  ['ACTIVE', false, true],
  ['UNPROVED', false, true],
  ['SUSPENDED', true, true],
  ['SUSPENDED', false, false],
  ['INVITED', false, false],
  ['ERASED', false, false],
] as const)('Who is %s (locked by themselves: %p) may reset their password: %p', (state, isLockedByOwner, may) => {
  expect(mayReset({ state, isLockedByOwner })).toBe(may);
});

describe('The link of a warning', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const user = { id: uuidv7(), passwordChangedAt: new Date('2026-01-01T00:00:00Z') };
  const token = lockTokenOf(KEY, user, now);

  test('locks the account it is about, for a week, until the password is another', () => {
    expect(subjectOfLock(token)).toBe(user.id);
    expect(locks(KEY, token, user, now)).toBe(true);
    expect(locks(KEY, token, user, new Date(now.getTime() + 7 * DAY_MS - 1_000))).toBe(true);
    expect(locks(KEY, token, user, new Date(now.getTime() + 7 * DAY_MS))).toBe(false);
    expect(locks(KEY, token, { ...user, passwordChangedAt: now }, now)).toBe(false);
    expect(locks(KEY, token, { ...user, id: uuidv7() }, now)).toBe(false);
    expect(locks(OTHER_KEY, token, user, now)).toBe(false);
  });

  test('says nothing once a letter of it is another', () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'0aZ_-.'), (at, letter) => {
        const edited = token.slice(0, at) + letter + token.slice(at + 1);
        // The last letter carries two bits more than the MAC has: another of them is the same 32 bytes.
        fc.pre(edited !== token && at < token.length - 1);
        expect(locks(KEY, edited, user, now)).toBe(false);
      }),
    );
  });
});

describe('The mark of a device', () => {
  const now = new Date();
  const [person, session] = [uuidv7(), uuidv7()];
  const mark = deviceMarkOf(KEY, person, session);

  test('is known for its person and 180 days', () => {
    expect(deviceOf(KEY, mark, person, now)).toBe(session.replaceAll('-', ''));
    expect(deviceOf(KEY, mark, uuidv7(), now)).toBeUndefined();
    expect(deviceOf(OTHER_KEY, mark, person, now)).toBeUndefined();
    expect(deviceOf(KEY, mark, person, new Date(now.getTime() + 179 * DAY_MS))).toBeDefined();
    expect(deviceOf(KEY, mark, person, new Date(now.getTime() + 181 * DAY_MS))).toBeUndefined();
  });

  test('is none for any other text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => deviceOf(KEY, text, person, now) === undefined));
  });
});

test.each([
  ['203.0.113.7', '203.0.113'],
  ['::ffff:203.0.113.7', '203.0.113'],
  ['203.0.113.0/24', '203.0.113'],
  ['2001:db8:1:2::3', '2001:db8:1'],
  ['2001:0DB8:1::/48', '2001:db8:1'],
  ['::1', '0:0:0'],
])('%s is in the area %s', (address, area) => {
  expect(areaOf(address)).toBe(area);
});

test('The token of a link is kept as a hash alone, and a text that is none has no hash', () => {
  const token = drawProofToken();
  expect(hashOfProof(token)).toMatch(/^[\w-]{43}$/);
  expect(token).not.toContain(String(hashOfProof(token)));
  expect(new Set(Array.from({ length: 100 }, drawProofToken)).size).toBe(100);
  for (const odd of ['', 'isp_mp_', `${token}x`, token.slice(1), token.replace('isp_mp_', 'isp_ch_')])
    expect(hashOfProof(odd)).toBeUndefined();
});
