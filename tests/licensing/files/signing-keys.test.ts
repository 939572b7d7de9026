import { tendSigningKeys } from '../../../subgraphs/licensing/files/signing-key.service.ts';
import { BRUNO, INGRID } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld } from '../licensing-world.ts';
import { filesIn, headerOf, type List, payloadOf } from './files-world.ts';

describe('The keys licence files are signed with', () => {
  let world: LicensingWorld;
  let files: ReturnType<typeof filesIn>;
  beforeEach(async () => {
    world = await openLicensingWorld();
    files = filesIn(world);
  }, 60_000);
  afterEach(() => world?.close());
  const tend = () => world.inTenant('platform', tendSigningKeys);

  test('anyone may read their public halves, each stated by a root; no private half is in the database', async () => {
    const set = await files.keySet();
    expect(set).toHaveLength(2);
    for (const key of set) {
      expect(key).toEqual({
        ...{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' },
        ...{ kid: expect.any(String), x: expect.stringMatching(/^[\w-]{43}$/), statement: expect.any(String) },
      });
      expect(headerOf(key.statement)).toMatchObject({ typ: 'isp-license-key+jwt' });
      expect(payloadOf<object>(key.statement)).toMatchObject({ kid: key.kid, x: key.x });
    }
    const columns = await world.sql(
      "select column_name from information_schema.columns where table_schema = 'licensing' and table_name = 'signing_key' order by 1",
    );
    expect(columns.map(({ column_name }) => column_name)).toEqual(
      'active_at kid made_at public_key reason retired_at retiring_at revoked_at statement status'.split(' '),
    );
  });

  test('90 days on, the next one signs: published a day before, and the old one stays 31 days', async () => {
    const first = (await files.keys()).ACTIVE?.[0];
    await files.age(88);
    await tend();
    expect((await files.keys()).NEXT).toBeUndefined();
    await files.age(1);
    await tend();
    await tend();
    const next = (await files.keys()).NEXT?.[0] as string;
    expect(await files.keys()).toMatchObject({ ACTIVE: [first], NEXT: [next] });
    expect((await files.keySet()).map(({ kid }) => kid)).toContain(next);
    expect(headerOf((await files.issue(BRUNO)).jws).kid).toBe(first);
    await files.age(1);
    await tend();
    await tend();
    expect(await files.keys()).toMatchObject({ ACTIVE: [next], RETIRING: expect.arrayContaining([first]) });
    expect(headerOf((await files.issue(BRUNO)).jws).kid).toBe(next);
    expect((await files.keySet()).map(({ kid }) => kid)).toContain(first);
    await files.age(31);
    await tend();
    expect((await files.keys()).RETIRED).toContain(first);
    expect((await files.keySet()).map(({ kid }) => kid)).toEqual([next]);
    const told = await world.sql("select payload from kernel.event where name = 'licensing.key.rotated' order by seq");
    expect(told.map(({ payload }) => payload.kid).at(-1)).toBe(next);
  });

  test('asked to rotate, the next one takes over when it has been published for a day', async () => {
    const first = (await files.keys()).ACTIVE?.[0];
    const { signingKey } = await files.rotateKey();
    expect(signingKey).toMatchObject({ status: 'NEXT', reason: 'Rehearsal of a rotation.' });
    expect(new Date(signingKey.activeAt).getTime() - new Date(signingKey.madeAt).getTime()).toBe(86_400_000);
    expect((await files.rotateKey('And once more.')).signingKey.kid).toBe(signingKey.kid);
    await tend();
    expect((await files.keys()).ACTIVE).toEqual([first]);
    await files.age(1);
    await tend();
    expect((await files.keys()).ACTIVE).toEqual([signingKey.kid]);
  });

  test('a revoked key is on the list, which another one signs, and the next file is signed by that one', async () => {
    const kid = (await files.keys()).ACTIVE?.[0] as string;
    const { signingKey, userErrors } = await files.revokeKey(kid);
    expect(userErrors).toEqual([]);
    expect(signingKey).toMatchObject({ kid, status: 'REVOKED', reason: 'Its private half leaked.' });
    const list = await files.list();
    expect(payloadOf<List>(list).kids).toEqual([kid]);
    const successor = (await files.keys()).ACTIVE?.[0];
    expect(headerOf(list).kid).toBe(successor);
    expect(headerOf((await files.issue(BRUNO)).jws).kid).toBe(successor);
    expect((await files.keySet()).map((key) => key.kid)).not.toContain(kid);
    expect((await files.revokeKey(kid)).userErrors).toMatchObject([{ code: 'INVALID_STATE', field: 'kid' }]);
  });

  test('what cannot be is refused, and who did what is in the platform’s audit', async () => {
    expect((await files.revokeKey('nobody')).userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such signing key.', field: 'kid' },
    ]);
    expect((await files.rotateKey('no')).userErrors).toMatchObject([{ code: 'INVALID', field: 'reason' }]);
    for (const refused of [
      await files.rotateKey('I would like to.', INGRID),
      await files.revokeKey((await files.keys()).ACTIVE?.[0] as string, 'I would like to.', INGRID),
    ])
      expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    await files.rotateKey();
    const [entry] = await world.sql(
      "select actor, after from kernel.audit_entry where table_name = 'licensing.signing_key' order by at desc limit 1",
    );
    expect(entry).toMatchObject({ actor: '01990000-0000-7000-8000-000000006001', after: { status: 'NEXT' } });
  });
});
