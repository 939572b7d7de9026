import { ed25519FromSeed, ed25519PublicOf } from '../../../subgraphs/_kernel/dev-secrets.ts';
import { kidOf, openJws, signJws } from '../../../subgraphs/licensing/files/jws.rules.ts';

/** RFC 8032, section 7.1, test 1: never trusted outside tests. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString(
  'base64url',
);
const signer = { kid: 'rfc8032-test-1', privateKey: ed25519FromSeed(SEED) };
const PAYLOAD = { epoch: 7, exp: 1804464000, iat: 1803859200, sub: '01990000-0000-7000-8000-000000000a05' };
const decoded = (part: string | undefined) => Buffer.from(String(part), 'base64url').toString('utf8');

describe('A signed file', () => {
  test('is signed as the published vector says, header and payload to the letter', () => {
    const [header, payload, signature] = signJws('isp-license+jwt', PAYLOAD, signer).split('.');
    expect(decoded(header)).toBe('{"alg":"EdDSA","kid":"rfc8032-test-1","typ":"isp-license+jwt"}');
    expect(decoded(payload)).toBe(
      '{"epoch":7,"exp":1804464000,"iat":1803859200,"sub":"01990000-0000-7000-8000-000000000a05"}',
    );
    expect(signature).toBe('ZVZaF0itVtr9aBrxsvmqTLuWptrsPEpFnfAzPoc-wi9o0cYcyA8S1GDeoMBTo4UpvUgiXlWCnz1qGkOqkkh5AA');
  });

  test('says the same whatever the order in which it was written down', () => {
    const { sub, ...rest } = PAYLOAD;
    expect(signJws('isp-license+jwt', { sub, ...rest }, signer)).toBe(signJws('isp-license+jwt', PAYLOAD, signer));
  });

  test('opens with its key, as what it was signed as, under its name', () => {
    const text = signJws('isp-license+jwt', PAYLOAD, signer);
    const x = ed25519PublicOf(SEED);
    expect(openJws('isp-license+jwt', text, 'rfc8032-test-1', x)).toEqual(PAYLOAD);
    expect(openJws('isp-license-key+jwt', text, 'rfc8032-test-1', x)).toBeUndefined();
    expect(openJws('isp-license+jwt', text, 'another', x)).toBeUndefined();
    expect(openJws('isp-license+jwt', `${text}.x`, 'rfc8032-test-1', x)).toBeUndefined();
    expect(
      openJws('isp-license+jwt', text, 'rfc8032-test-1', ed25519PublicOf(Buffer.alloc(32, 1).toString('base64url'))),
    ).toBeUndefined();
  });

  test('names its key by its thumbprint (RFC 8037, appendix A.3)', () => {
    expect(kidOf('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });
});
