import fc from 'fast-check';
import { judgeFile } from '../../../clients/license/src/judge.ts';
import { openJws, publicKeyOf } from '../../../clients/license/src/jws.ts';
import { TrustedKeys } from '../../../clients/license/src/trust.ts';
import { DEVELOPMENT_ROOTS } from '../../../subgraphs/licensing/files/key-supply.service.ts';
import * as forge from './forge.ts';
import {
  DAY,
  file,
  forged,
  ISSUED,
  install,
  installed,
  KEY,
  KEY_2,
  keySet,
  list,
  payload,
  ROOTS,
  STRANGER,
  stated,
} from './forge.ts';

const HEADER = `{"alg":"EdDSA","kid":"${KEY.kid}","typ":"isp-license+jwt"}`;
const body = (over: object = {}) => JSON.stringify(payload(over));
const header = (over: object) => JSON.stringify({ alg: 'EdDSA', kid: KEY.kid, typ: 'isp-license+jwt', ...over });

/** Brings a file to a fresh installation that knows the platform's keys. */
async function brought(text: string) {
  const { client } = install();
  await client.start();
  const verdict = await client.bring({ keySet: keySet(stated(KEY), stated(KEY_2, ROOTS[1])), file: text });
  return { client, verdict };
}

describe('What is not a licence file of ours', () => {
  test('the vector of the specification verifies, as that key and no other', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const text = `${Buffer.from('{"alg":"EdDSA","kid":"rfc8032-test-1","typ":"isp-license+jwt"}').toString('base64url')}.${Buffer.from(
      '{"epoch":7,"exp":1804464000,"iat":1803859200,"sub":"01990000-0000-7000-8000-000000000a05"}',
    ).toString('base64url')}.ZVZaF0itVtr9aBrxsvmqTLuWptrsPEpFnfAzPoc-wi9o0cYcyA8S1GDeoMBTo4UpvUgiXlWCnz1qGkOqkkh5AA`;
    const keyOf = (kid: string) => (kid === 'rfc8032-test-1' ? publicKeyOf(x) : undefined);
    expect(openJws(text, 'isp-license+jwt', keyOf).payload).toMatchObject({ epoch: 7, exp: 1804464000 });
    expect(openJws(text, 'isp-license+jwt', () => publicKeyOf(KEY.x)).fault).toBe('BAD_SIGNATURE');
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'MALFORMED'],
    ['two parts', file().split('.').slice(0, 2).join('.'), 'MALFORMED'],
    ['four parts', `${file()}.e30`, 'MALFORMED'],
    ['a blank behind it', `${file()} `, 'MALFORMED'],
    ['padding', `${file()}=`, 'MALFORMED'],
    ['a signature spelt another way', `${file().slice(0, -1)}${file().endsWith('A') ? 'B' : 'R'}`, 'MALFORMED'],
    ['a file of two megabytes', 'x'.repeat(2_000_000), 'MALFORMED'],
    ['alg none without a signature', `${file().split('.')[0]}.${file().split('.')[1]}.`, 'MALFORMED'],
    ['alg none', forged(header({ alg: 'none' }), body()), 'BAD_HEADER'],
    ['alg HS256', forged(header({ alg: 'HS256' }), body()), 'BAD_HEADER'],
    ['alg in other letters', forged(header({ alg: 'EDDSA' }), body()), 'BAD_HEADER'],
    [
      'a key of its own in the header',
      forged(header({ jwk: { kty: 'OKP', crv: 'Ed25519', x: STRANGER.x } }), body(), STRANGER.privateKey),
      'BAD_HEADER',
    ],
    ['an address of keys in the header', forged(header({ jku: 'https://evil.example/keys' }), body()), 'BAD_HEADER'],
    ['a certificate in the header', forged(header({ x5u: 'https://evil.example/cert' }), body()), 'BAD_HEADER'],
    ['a critical extension', forged(header({ crit: ['exp'] }), body()), 'BAD_HEADER'],
    ['a member twice', forged(HEADER.replace('{', '{"alg":"none",'), body()), 'BAD_HEADER'],
    [
      'a header in another order',
      forged(`{"kid":"${KEY.kid}","alg":"EdDSA","typ":"isp-license+jwt"}`, body()),
      'BAD_HEADER',
    ],
    ['blanks in the header', forged(HEADER.replace(':', ': '), body()), 'BAD_HEADER'],
    ['a header that is a list', forged('["EdDSA"]', body()), 'BAD_HEADER'],
    ['a header without a key', forged(header({ kid: undefined }), body()), 'BAD_HEADER'],
    ['a kid that is no text', forged(header({ kid: { toString: KEY.kid } }), body()), 'BAD_HEADER'],
    ['a list of revocations', list(), 'BAD_HEADER'],
    ['a statement of a key', stated(KEY), 'BAD_HEADER'],
    ['an unknown key', file({}, STRANGER), 'UNKNOWN_KEY'],
    ['a key named __proto__', forged(header({ kid: '__proto__' }), body()), 'UNKNOWN_KEY'],
    ['a root, which states keys and signs no files', file({}, ROOTS[0]), 'UNKNOWN_KEY'],
    [
      'a stranger under the name of a key',
      file({}, { kid: KEY.kid, privateKey: STRANGER.privateKey }),
      'BAD_SIGNATURE',
    ],
    ['one key under the name of another', file({}, { kid: KEY_2.kid, privateKey: KEY.privateKey }), 'BAD_SIGNATURE'],
    ['a payload that is no JSON', forged(HEADER, 'licence'), 'MALFORMED'],
    ['a payload that is a list', forged(HEADER, '[]'), 'MALFORMED'],
    ['another tenant', file({ sub: '01990000-0000-7000-8000-000000000a02' }), 'OTHER_TENANT'],
    ['another installation', file({ aud: '01990000-0000-7000-8000-000000008a52' }), 'OTHER_INSTALLATION'],
    ['no audience', file({ aud: undefined }), 'OTHER_INSTALLATION'],
    ['many audiences', file({ aud: ['isp-install'] }), 'OTHER_INSTALLATION'],
    ['a file of later', file({ iat: ISSUED / 1_000 + 7_200, nbf: ISSUED / 1_000 + 7_200 }), 'NOT_YET_VALID'],
    ['one that begins later', file({ nbf: ISSUED / 1_000 + 3_600 + 301 }), 'NOT_YET_VALID'],
    ['a life of 31 days', file({ exp: ISSUED / 1_000 + 31 * 86_400 }), 'MALFORMED'],
    ['a life of minutes', file({ exp: ISSUED / 1_000 + 60 }), 'MALFORMED'],
    ['a grace of a year', file({ offlineGraceDays: 365 }), 'MALFORMED'],
    ['an epoch below zero', file({ epoch: -1 }), 'MALFORMED'],
    ['an epoch in a text', file({ epoch: '7' }), 'MALFORMED'],
    ['no course', file({ course: [] }), 'MALFORMED'],
    [
      'an access nobody knows',
      file({ course: [{ ...payload().course[0], features: { crm: { access: 'ALL' } } }] }),
      'MALFORMED',
    ],
    ['a course that runs back', file({ course: [...payload().course, payload().course[0]] }), 'MALFORMED'],
  ])('%s is refused, and the core stays up', async (_, text, reason) => {
    const { client, verdict } = await brought(text);
    expect(verdict).toMatchObject({ state: 'NONE', source: 'NONE', reason, ageSeconds: null });
    expect(verdict.warnings[0]).toBe(`There is no acceptable licence file (${reason}): only the core works.`);
    expect(client.check('core')).toEqual({ access: 'FULL', reason: null });
    expect(client.check('crm')).toEqual({ access: 'NONE', reason });
    expect(client.limit('subscribers').limit).toBe(0n);
  });

  test('a file within five minutes of the clock is accepted', async () => {
    const { verdict } = await brought(file({ nbf: ISSUED / 1_000 + 3_600 + 299 }));
    expect(verdict).toMatchObject({ source: 'FILE', reason: null });
  });

  test('none of 100,000 changes of a single bit is accepted', () => {
    const keys = new TrustedKeys(
      ROOTS.map(({ x }) => x),
      false,
    );
    keys.believe(stated(KEY));
    const ground = { keys, revocations: null, tenantId: forge.TENANT, installationId: null, epoch: 0, now: ISSUED };
    const good = Buffer.from(file());
    expect(judgeFile(good.toString('latin1'), ground).reason).toBeUndefined();
    let accepted = 0;
    for (let change = 0; change < 100_000; change++) {
      const bit = Math.floor((change * good.length * 8) / 100_000) + (change % 7);
      const edited = Buffer.from(good);
      const place = (bit >> 3) % good.length;
      edited[place] = (edited[place] ?? 0) ^ (1 << (bit & 7));
      if (judgeFile(edited.toString('latin1'), ground).file) accepted += 1;
    }
    expect(accepted).toBe(0);
  }, 120_000);

  test('no garbage makes it throw', () => {
    const keys = new TrustedKeys(
      ROOTS.map(({ x }) => x),
      false,
    );
    keys.believe(stated(KEY));
    const ground = { keys, revocations: null, tenantId: forge.TENANT, installationId: null, epoch: 0, now: ISSUED };
    fc.assert(fc.property(fc.anything(), (text) => judgeFile(text, ground).file === undefined));
    const signed = fc.jsonValue().map((value) => forged(HEADER, JSON.stringify(value)));
    fc.assert(fc.property(signed, (text) => judgeFile(text, ground).file === undefined));
    const edited = fc.record(
      { ...Object.fromEntries(Object.keys(payload()).map((key) => [key, fc.jsonValue()])) },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(edited, (over) => ['object'].includes(typeof judgeFile(file(over), ground))));
  });
});

describe('Which keys are believed', () => {
  const believes = (statement: string, now = ISSUED / 1_000) => {
    const keys = new TrustedKeys(
      ROOTS.map(({ x }) => x),
      false,
    );
    keys.learn({ keys: [{ kid: KEY.kid, x: KEY.x, statement }] });
    return keys.at(KEY.kid, now) !== undefined;
  };

  test('those one of the two roots states, from then until the statement ends', () => {
    expect(believes(stated(KEY))).toBe(true);
    expect(believes(stated(KEY, ROOTS[1]))).toBe(true);
    expect(believes(stated(KEY), (ISSUED - 2 * DAY) / 1_000 - 301)).toBe(false);
    expect(believes(stated(KEY, ROOTS[0], { exp: ISSUED / 1_000 }))).toBe(false);
  });

  test.each<[string, string]>([
    ['stated by a stranger', stated(KEY, STRANGER)],
    ['stated by itself', stated(KEY, KEY)],
    ['stated by a stranger in the name of a root', stated(KEY, { ...STRANGER, kid: ROOTS[0].kid })],
    ['whose statement speaks of another key', stated(KEY, ROOTS[0], { x: STRANGER.x })],
    ['whose statement has no end', stated(KEY, ROOTS[0], { exp: undefined })],
    ['without a statement', ''],
  ])('not one %s, whatever the key set says beside it', (_, statement) => {
    expect(believes(statement)).toBe(false);
  });

  test('the roots of a development platform are believed nowhere but where it is said to be one', () => {
    expect(new TrustedKeys(DEVELOPMENT_ROOTS, false).fault).toBe(
      'A root key of development is pinned outside development.',
    );
    expect(new TrustedKeys(DEVELOPMENT_ROOTS, true).fault).toBeUndefined();
    expect(new TrustedKeys([], false).fault).toBe('No root key is pinned.');
  });

  test('a key set without end or sense teaches nothing and breaks nothing', async () => {
    const { client } = await installed();
    for (const text of ['', 'null', '[]', '{"keys":7}', '{"keys":[null,{"statement":{}}]}', '['.repeat(100_000)])
      expect((await client.bring({ keySet: text })).source).toBe('FILE');
  });
});

describe('What is taken back', () => {
  test.each<[string, object, string]>([
    ['a file', { jtis: ['file 1'] }, 'REVOKED'],
    ['every file of the tenant below an epoch', { minEpochs: { [forge.TENANT]: 8 } }, 'REVOKED'],
  ])('%s stops counting with the list, and stays refused', async (_, over, reason) => {
    const { client, store, clock } = await installed();
    expect((await client.bring({ revocations: list(over) })).reason).toBe(reason);
    expect(client.check('crm').access).toBe('NONE');
    expect((await client.bring({ file: file() })).reason).toBe(reason);
    const again = install({ store, clock });
    expect(await again.client.start()).toMatchObject({ source: 'NONE' });
    expect((await again.client.bring({ file: file() })).reason).toBe(reason);
    expect((await again.client.bring({ file: file({ epoch: 8, jti: 'file 2' }) })).source).toBe('FILE');
  });

  test('a key, with all it has signed: only another key can say so', async () => {
    const { client } = await installed();
    expect((await client.bring({ revocations: list({ kids: [KEY.kid] }, KEY) })).source).toBe('FILE');
    expect((await client.bring({ revocations: list({ kids: [KEY.kid] }, KEY_2) })).reason).toBe('REVOKED_KEY');
    const later = { seq: ISSUED / 1_000 + 9 };
    await client.bring({ revocations: list(later, KEY) }); // signed by the revoked one
    expect((await client.bring({ file: file() })).reason).toBe('REVOKED_KEY');
    expect((await client.bring({ file: file({ epoch: 8 }, KEY_2) })).source).toBe('FILE');
  });

  test('an older list, or one no key of ours has signed, changes nothing', async () => {
    const { client, store, clock } = await installed();
    const seq = ISSUED / 1_000;
    await client.bring({ revocations: list({ seq: seq + 5, jtis: ['file 1'] }) });
    for (const revocations of [
      list({ seq: seq + 4 }),
      list({ seq: seq + 9 }, STRANGER),
      file(),
      'x',
      list({ seq: 'x' }),
    ])
      expect((await client.bring({ revocations, file: file() })).reason).toBe('REVOKED');
    const again = install({ store, clock });
    await again.client.start();
    expect((await again.client.bring({ revocations: list({ seq: seq + 4 }), file: file() })).reason).toBe('REVOKED');
    expect((await again.client.bring({ revocations: list({ seq: seq + 6 }), file: file() })).source).toBe('FILE');
  });

  test('other tenants’ epochs are not this one’s', async () => {
    const { client } = await installed();
    const minEpochs = { '01990000-0000-7000-8000-000000000a02': 100 };
    expect((await client.bring({ revocations: list({ minEpochs }) })).source).toBe('FILE');
  });
});
