import { randomBytes, sign } from 'node:crypto';
import fc from 'fast-check';
import { ClientError } from '../../schema/errors.ts';
import { ed25519FromSeed, ed25519PublicOf } from '../../subgraphs/_kernel/dev-secrets.ts';
import {
  anonymousEnvelope,
  createMint,
  createVerifier,
  type Envelope,
} from '../../subgraphs/_kernel/signed-context.ts';

const [seed, strangerSeed] = [1, 2].map(() => randomBytes(32).toString('base64url')) as [string, string];
const mint = createMint(seed);
const verify = createVerifier([ed25519PublicOf(seed)]);
const body = '{"query":"{ tenant { id } }"}';
const envelope: Envelope = {
  ...anonymousEnvelope(),
  caller: { kind: 'USER', id: '01990000-0000-7000-8000-000000006011' },
  tenantId: '01990000-0000-7000-8000-000000000a01',
  features: { crm: { access: 'FULL' } },
};
const token = mint(envelope, 'billing', body);
const [header, claims, signature] = token.split('.') as [string, string, string];

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());

/** A token signed with the gateway's own key over whatever it likes. */
function forge(head: object, said: object): string {
  const text = `${encode(head)}.${encode(said)}`;
  return `${text}.${sign(null, Buffer.from(text), ed25519FromSeed(seed)).toString('base64url')}`;
}

/** The same token as if it had been minted `ageS` seconds ago, to live `lifeS`. */
function aged(ageS: number, lifeS = 30): string {
  const iat = Math.floor(Date.now() / 1000) - ageS;
  return forge(decode(header), { ...decode(claims), iat, exp: iat + lifeS });
}

/** What a refusal gives away: nothing but that one shall sign in. */
function refusalOf(asked: string | undefined, audience = 'billing', text = body): unknown {
  try {
    verify(asked, audience, text);
  } catch (error) {
    return error instanceof ClientError ? { message: error.message, extensions: error.extensions } : error;
  }
  return 'believed';
}
const REFUSAL = { message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } };

describe('an envelope of the gateway', () => {
  test('is believed as it was signed', () => {
    expect(verify(token, 'billing', body)).toMatchObject(envelope);
  });

  test('is believed whichever of the known keys signed it, so that keys can be changed without a gap', () => {
    const next = createMint(strangerSeed)(envelope, 'billing', body);
    const both = createVerifier([ed25519PublicOf(seed), ed25519PublicOf(strangerSeed)]);
    expect([token, next].map((each) => both(each, 'billing', body).tenantId)).toEqual([
      envelope.tenantId,
      envelope.tenantId,
    ]);
  });

  test('is believed until its last second, and from a gateway whose clock runs a little ahead', () => {
    expect([aged(0), aged(28), aged(-4)].map((each) => refusalOf(each))).toEqual(['believed', 'believed', 'believed']);
  });

  test('lives half a minute at most', () => {
    const { iat, exp } = decode(claims);
    expect(exp - iat).toBe(30);
  });
});

describe('nobody gets in, and nobody is told why, with', () => {
  const other = createMint(strangerSeed)(envelope, 'billing', body).split('.');
  const raised = encode({ ...decode(claims), tenantId: '01990000-0000-7000-8000-000000000a02' });
  const padded = (part: string) => Buffer.from(part, 'base64url').toString('base64');
  const lastLetter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const cousin = lastLetter[lastLetter.indexOf(signature.at(-1) as string) + 1] as string;

  test.each<[string, string | undefined]>([
    ['no envelope', undefined],
    ['an empty one', ''],
    ['two dots', '..'],
    ['a word', 'envelope'],
    ['no signature', `${header}.${claims}`],
    ['an empty signature', `${header}.${claims}.`],
    ['no header', `${claims}.${signature}`],
    ['a part too many', `${token}.${signature}`],
    ['a dot too many', `${token}.`],
    ['a space around it', ` ${token}`],
    ['a line feed after it', `${token}\n`],
    ['the signature of another key', other.join('.')],
    ['the claims of one and the signature of another', `${header}.${claims}.${other[2]}`],
    ['another tenant in the claims', `${header}.${raised}.${signature}`],
    ['a signature cut short', token.slice(0, -2)],
    ['a signature spelled another way', `${header}.${claims}.${padded(signature)}`],
    ['a signature whose last letter means the same', `${token.slice(0, -1)}${cousin}`],
    ['a header that says nothing is signed', forge({ alg: 'none', typ: 'isp-envelope+jws' }, decode(claims))],
    ['a header that brings its own key', forge({ alg: 'EdDSA', typ: 'isp-envelope+jws', jwk: {} }, decode(claims))],
    ['the header of an access token', forge({ alg: 'EdDSA', typ: 'at+jwt' }, decode(claims))],
    ['an envelope that has expired', aged(31)],
    ['an envelope of the future', aged(-10)],
    ['an envelope that lives too long', aged(0, 31)],
    ['an envelope without an end', forge(decode(header), { ...decode(claims), exp: undefined })],
    ['an envelope without a beginning', forge(decode(header), { ...decode(claims), iat: undefined })],
    ['a list of audiences', forge(decode(header), { ...decode(claims), aud: ['billing'] })],
  ])('%s', (_name, asked) => {
    expect(refusalOf(asked)).toEqual(REFUSAL);
  });

  test('an envelope for another subgraph', () => {
    expect(refusalOf(token, 'network')).toEqual(REFUSAL);
  });

  test('an envelope for another request', () => {
    expect(refusalOf(token, 'billing', body.replace('id', 'name'))).toEqual(REFUSAL);
    expect(refusalOf(token, 'billing', `${body} `)).toEqual(REFUSAL);
    expect(refusalOf(token, 'billing', '')).toEqual(REFUSAL);
  });

  test('an envelope of which any single bit was flipped', () => {
    const bytes = Buffer.from(token, 'latin1');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      if (refusalOf(flipped.toString('latin1')) === 'believed') throw new Error(`Bit ${bit} makes no difference.`);
    }
  });

  test('anything else somebody could write', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(refusalOf(text)).toEqual(REFUSAL)));
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) =>
        expect(refusalOf(`${header}.${encode({ a })}.${encode({ b })}`)).toEqual(REFUSAL),
      ),
    );
  });
});

test('whatever a gateway says in an envelope arrives as it was said', () => {
  const said = fc.record({
    tenantId: fc.option(fc.uuid()),
    requestId: fc.uuid(),
    address: fc.ipV6(),
    licenseVersion: fc.nat(),
    refreshCookie: fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  });
  fc.assert(
    fc.property(said, fc.string(), (parts, text) => {
      expect(verify(mint({ ...envelope, ...parts }, 'billing', text), 'billing', text)).toMatchObject(parts);
    }),
  );
});
