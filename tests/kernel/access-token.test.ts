import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import {
  ACCESS_TOKEN_S,
  type AccessClaims,
  AUDIENCE,
  signAccessToken,
  verifyAccessToken,
} from '../../subgraphs/_kernel/access-token.ts';

const issuer = 'https://isp.example';
const ours = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const keyByKid = (kid: string) => (kid === 'k1' ? ours.publicKey : undefined);
const now = 1_800_000_000;
const claims: AccessClaims = {
  iss: issuer,
  aud: AUDIENCE,
  sub: 'u',
  sid: 's',
  iat: now,
  exp: now + ACCESS_TOKEN_S,
  jti: 's.1',
  kind: 'STAFF',
  tid: 't',
  mid: 'm',
  mv: 3,
  strong: now - 5,
};
const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const check = (token: string, at = now) => verifyAccessToken(token, keyByKid, { issuer, now: at * 1_000 });

/** A token by somebody who holds our key and writes what they like. */
function forge(header: object, body: object = claims, key = ours.privateKey): string {
  const signed = `${text(header)}.${text(body)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}
const HEADER = { alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' };

describe('An access token', () => {
  const token = signAccessToken(claims, 'k1', ours.privateKey);

  test('is believed with what it says, from five seconds before to five seconds after its life', () => {
    expect(check(token).claims).toEqual(claims);
    expect(check(token, now - 5).claims).toEqual(claims);
    expect(check(token, now + ACCESS_TOKEN_S + 5).claims).toEqual(claims);
    expect(forge(HEADER)).toBe(token);
  });

  test('may name no tenant', () => {
    const { tid, mid, mv, strong, ...bare } = claims;
    expect(check(signAccessToken(bare, 'k1', ours.privateKey)).claims).toEqual(bare);
  });

  test.each([
    ['ended six seconds ago', signAccessToken(claims, 'k1', ours.privateKey), now + ACCESS_TOKEN_S + 6, 'EXPIRED'],
    ['was made six seconds ahead', token, now - 6, 'INVALID'],
    ['has the algorithm none', forge({ ...HEADER, alg: 'none' }), now, 'INVALID'],
    ['has the algorithm HS256', forge({ ...HEADER, alg: 'HS256' }), now, 'INVALID'],
    ['brings its own key', forge({ ...HEADER, jwk: theirs.publicKey.export({ format: 'jwk' }) }), now, 'INVALID'],
    ['names where its key lies', forge({ ...HEADER, jku: 'https://evil.example' }), now, 'INVALID'],
    ['names a certificate', forge({ ...HEADER, x5u: 'https://evil.example' }), now, 'INVALID'],
    ['has critical extensions', forge({ ...HEADER, crit: ['exp'] }), now, 'INVALID'],
    ['has its header in another order', forge({ typ: 'at+jwt', alg: 'EdDSA', kid: 'k1' }), now, 'INVALID'],
    ['is of another type', forge({ ...HEADER, typ: 'JWT' }), now, 'INVALID'],
    ['names an unknown key', forge({ ...HEADER, kid: '../k1' }), now, 'INVALID'],
    ['names no key', forge({ alg: 'EdDSA', typ: 'at+jwt' }), now, 'INVALID'],
    ['is signed by another key', forge(HEADER, claims, theirs.privateKey), now, 'INVALID'],
    ['is for another audience', forge(HEADER, { ...claims, aud: 'isp-admin' }), now, 'INVALID'],
    ['is by another issuer', forge(HEADER, { ...claims, iss: 'https://evil.example' }), now, 'INVALID'],
    ['lives longer than five minutes', forge(HEADER, { ...claims, exp: claims.exp + 1 }), now, 'INVALID'],
    ['is good only later', forge(HEADER, { ...claims, nbf: now + 60 }), now, 'INVALID'],
    ['names a tenant and no membership', forge(HEADER, { ...claims, mid: undefined }), now, 'INVALID'],
    ['is of another kind', forge(HEADER, { ...claims, kind: 'PLATFORM' }), now, 'INVALID'],
    ['has no session', forge(HEADER, { ...claims, sid: undefined }), now, 'INVALID'],
    ['is a refresh token', `isp_rt_${'0'.repeat(32)}.1.${'A'.repeat(43)}`, now, 'INVALID'],
    ['is empty', '', now, 'INVALID'],
    ['has 100 kB', `${token.split('.')[0]}.${'A'.repeat(100_000)}.${token.split('.')[2]}`, now, 'INVALID'],
    ['is no JSON', `${Buffer.from('{').toString('base64url')}.e30.${'A'.repeat(86)}`, now, 'INVALID'],
    ['has a header that is null', `${Buffer.from('null').toString('base64url')}.e30.${'A'.repeat(86)}`, now, 'INVALID'],
  ])('that %s is refused at once', (_, forged, at, reason) => {
    const took = [1, 2, 3, 4, 5].map(() => {
      const began = performance.now();
      expect(check(forged, at)).toEqual({ refused: reason });
      return performance.now() - began;
    });
    expect(Math.min(...took)).toBeLessThan(5);
  });

  test('with any letter changed is refused, and never as expired', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...letters));
    fc.assert(
      fc.property(change, ([at, letter]) => {
        const edited = token.slice(0, at) + letter + token.slice(at + 1);
        if (edited !== token) expect(check(edited, now + 10_000)).toEqual({ refused: 'INVALID' });
      }),
    );
  });

  test('never makes the checker throw, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (junk) => check(junk).refused === 'INVALID'));
  });
});
