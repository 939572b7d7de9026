import { createHash, randomUUID } from 'node:crypto';
import { licenseFileById, revokeFilesOf } from '../../../subgraphs/licensing/files/license-file.service.ts';
import { tendRevocations } from '../../../subgraphs/licensing/files/revocation-list.service.ts';
import { BRUNO, EDDA, INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';
import { FILE, filesIn, headerOf, type List, payloadOf } from './files-world.ts';

const ROSA = { tenant: 'sable', user: '6051', roles: ['tenant_admin'] } as const;
const EWA = { tenant: 'oldtown', user: '6061', roles: ['tenant_admin'] } as const;
const asker = (who: typeof ROSA | typeof EWA) => ({ ...who, roles: [...who.roles] });

describe('Licence files', () => {
  let world: LicensingWorld;
  let files: ReturnType<typeof filesIn>;
  beforeAll(async () => {
    world = await openLicensingWorld();
    files = filesIn(world);
  });
  afterAll(() => world?.close());

  test('the example world has atlas at epoch 7 over two installations, and a key that retires beside the one that signs', async () => {
    const { data } = await world.ask(BRUNO, `{ licenseFiles { nodes { ${FILE} } pageInfo { hasNextPage } } }`);
    expect(data.licenseFiles.nodes.map(({ epoch }: { epoch: number }) => epoch)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(new Set(data.licenseFiles.nodes.map((f: { installationId: string }) => f.installationId)).size).toBe(2);
    const keys = await files.keys();
    expect(keys).toEqual({ ACTIVE: [expect.any(String)], RETIRING: [expect.any(String)] });
    expect(data.licenseFiles.nodes[0].kid).toBe(keys.ACTIVE?.[0]);
    expect(data.licenseFiles.nodes[1].kid).toBe(keys.RETIRING?.[0]);
  });

  test('a file says whose it is, for how long, and what the licence opens, under the key that signs', async () => {
    const { licenseFile, jws, userErrors } = await files.issue(INGRID, { ttlHours: 24 });
    expect(userErrors).toEqual([]);
    expect(licenseFile).toMatchObject({ epoch: 1, installationId: null, revokedAt: null, reason: null });
    expect(createHash('sha256').update(jws).digest('hex')).toBe(licenseFile.sha256);
    expect(headerOf(jws)).toEqual({ alg: 'EdDSA', kid: licenseFile.kid, typ: 'isp-license+jwt' });
    const said = payloadOf(jws);
    expect(said).toMatchObject({
      ...{ iss: world.world.config.PUBLIC_URL, sub: tenantId('northwind'), aud: 'isp-install', jti: licenseFile.id },
      ...{ epoch: 1, ver: licenseFile.licenseVersion, plan: 'professional', state: 'ACTIVE', holds: [] },
      ...{ offlineGraceDays: 7, trialEndsAt: null },
      features: { crm: 'FULL', fieldops: 'NONE', white_label: 'FULL' },
      limits: { subscribers: { limit: '5000', policy: 'HARD' }, api_calls: { limit: '500000', policy: 'OVERAGE' } },
    });
    expect(said.exp - said.iat).toBe(24 * 3_600);
    expect(said.nbf).toBe(said.iat);
    expect(new Date(licenseFile.expiresAt).getTime()).toBe(said.exp * 1_000);
    expect(said.paidUntil && said.graceEnd && said.restrictedEnd).toBeTruthy();
  });

  test('a file for one installation names it, and lives a week unless it is asked otherwise', async () => {
    const installationId = randomUUID();
    const said = payloadOf((await files.issue(INGRID, { installationId })).jws);
    expect(said).toMatchObject({ aud: installationId, epoch: 2 });
    expect(said.exp - said.iat).toBe(168 * 3_600);
  });

  test('the same key gives the same file again and counts no epoch; another request under it is refused', async () => {
    const idempotencyKey = randomUUID();
    const first = await files.issue(INGRID, { idempotencyKey });
    expect(await files.issue(INGRID, { idempotencyKey })).toEqual(first);
    expect((await files.issue(INGRID, { idempotencyKey, ttlHours: 1 })).userErrors).toMatchObject([
      { code: 'IDEMPOTENCY_MISMATCH' },
    ]);
    expect((await files.issue(INGRID)).licenseFile.epoch).toBe(first.licenseFile.epoch + 1);
  });

  test('files asked for at once have epochs one after the other', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => files.issue(WREN)));
    expect(made.map(({ licenseFile }) => licenseFile.epoch).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const events = await world.sql(
      "select payload from kernel.event where tenant_id = $1 and name = 'licensing.file.issued' order by seq",
      [tenantId('kestrel')],
    );
    expect(events.map(({ payload }) => payload.epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test.each([0, 721, -5])('a lifetime of %p hours is refused', async (ttlHours) => {
    expect(await files.issue(INGRID, { ttlHours })).toEqual({
      ...{ licenseFile: null, jws: null },
      userErrors: [{ code: 'INVALID', message: 'A licence file lives 1 to 720 hours.', field: 'ttlHours' }],
    });
  });

  test('an installation that cannot be one is refused', async () => {
    expect((await files.issue(INGRID, { installationId: 'isp-install' })).userErrors).toMatchObject([
      { code: 'INVALID', field: 'installationId' },
    ]);
  });

  test('a suspended licence has no file, nor has a tenant without a licence', async () => {
    expect((await files.issue(asker(ROSA))).userErrors).toEqual([
      { code: 'INVALID_STATE', message: 'A suspended licence has no file.', field: null },
    ]);
    expect((await files.issue(asker(EWA))).userErrors).toMatchObject([
      { code: 'NOT_FOUND', message: 'This tenant has no licence.' },
    ]);
  });

  test('who may not issue files gets none and sees none; only the platform revokes', async () => {
    expect((await files.issue(EDDA)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const { errors } = await world.ask(EDDA, '{ licenseFiles { nodes { id } } }');
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const { errors: unknown } = await world.askAs('ANONYMOUS', '{ licenseFiles { nodes { id } } }');
    expect(unknown).toMatchObject([{ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } }]);
    const foreign = (await files.issue(BRUNO)).licenseFile.id;
    for (const id of [foreign, randomUUID()])
      expect((await files.revoke(id, 'I would like to.', INGRID)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' } },
      ]);
  });

  test('another tenant’s file is as good as none', async () => {
    const { id } = (await files.issue(BRUNO)).licenseFile;
    const seen = (slug: 'northwind' | 'atlas', what: string) =>
      world.inTenant(slug, async (ctx) => (await licenseFileById(ctx, what))?.id ?? null);
    expect(await seen('northwind', id)).toBeNull();
    expect(await seen('northwind', randomUUID())).toBeNull();
    expect(await seen('atlas', id)).toBe(id);
  });

  test('a revoked file is on the list at once, and revoking it again changes nothing', async () => {
    const before = payloadOf<List>(await files.list());
    const { licenseFile } = await files.issue(BRUNO);
    const { licenseFile: revoked, userErrors } = await files.revoke(licenseFile.id);
    expect(userErrors).toEqual([]);
    expect(revoked).toMatchObject({ id: licenseFile.id, reason: 'The machine was stolen.' });
    const after = payloadOf<List>(await files.list());
    expect(after.jtis).toEqual([...before.jtis, licenseFile.id].sort());
    expect(after.seq).toBeGreaterThan(before.seq);
    expect(after.nextUpdate - after.iat).toBe(86_400);
    expect((await files.revoke(licenseFile.id, 'Stolen again.')).licenseFile).toEqual(revoked);
    expect(payloadOf<List>(await files.list())).toEqual(after);
    const events = await world.sql("select payload from kernel.event where name = 'licensing.file.revoked'");
    expect(events).toEqual([{ payload: { fileId: licenseFile.id, epoch: licenseFile.epoch } }]);
  });

  test.each([
    ['an unknown file', randomUUID()],
    ['what can be no file', 'file'],
  ])('revoking %s is refused', async (_, id) => {
    expect((await files.revoke(id)).userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such licence file.', field: 'id' },
    ]);
  });

  test('a reason is a sentence', async () => {
    const { id } = (await files.issue(BRUNO)).licenseFile;
    expect((await files.revoke(id, 'no')).userErrors).toMatchObject([{ code: 'INVALID', field: 'reason' }]);
  });

  test('a revoked licence takes all its files with it: by epoch at once, and row by row with the next sweep', async () => {
    const slug = 'kestrel';
    const { licenseFile } = await files.issue(WREN);
    await world.sql(
      `select set_config('app.tenant_id', '${tenantId(slug)}', false);
       update licensing.license set revoked_at = now() where tenant_id = '${tenantId(slug)}'`,
    );
    const list = payloadOf<List>(await files.list());
    expect(list.minEpochs).toEqual({ [tenantId(slug)]: licenseFile.epoch + 1 });
    expect((await files.issue(WREN)).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'A revoked licence has no file.' },
    ]);
    await world.inTenant('platform', tendRevocations);
    await world.inTenant('platform', tendRevocations);
    const rows = await world.sql(
      'select count(*)::int, count(revoked_at)::int as revoked, min(reason) as reason from licensing.license_file where tenant_id = $1',
      [tenantId(slug)],
    );
    expect(rows).toEqual([{ count: licenseFile.epoch, revoked: licenseFile.epoch, reason: 'The licence is revoked.' }]);
    const events = await world.sql(
      "select 1 from kernel.event where name = 'licensing.file.revoked' and tenant_id = $1",
      [tenantId(slug)],
    );
    expect(events).toHaveLength(licenseFile.epoch);
    expect(payloadOf<List>(await files.list())).toEqual(list);
  });

  test('whoever revokes a licence can revoke its files in the same transaction', async () => {
    const { licenseFile } = await files.issue(INGRID);
    await world.inTenant('northwind', (ctx) =>
      ctx.tx(async (em) => {
        const [{ id }] = (await em.execute('select id from licensing.license')) as [{ id: string }];
        await revokeFilesOf(ctx, em, id);
      }),
    );
    expect(payloadOf<List>(await files.list()).jtis).toContain(licenseFile.id);
  });

  test('the list is renewed before its day is over, under a higher number', async () => {
    const first = payloadOf<List>(await files.list());
    expect(payloadOf<List>(await files.list()).seq).toBe(first.seq);
    await world.sql("update licensing.revocation_list set issued_at = issued_at - interval '23 hours'");
    const renewed = payloadOf<List>(await files.list());
    expect(renewed.seq).toBeGreaterThan(first.seq);
  });

  test('the platform’s admin lists no tenant’s files as her own', async () => {
    const { data } = await world.ask(NGOZI, '{ licenseFiles { nodes { id } } }');
    expect(data.licenseFiles.nodes).toEqual([]);
  });
});

describe('A process that overrides licences for tests', () => {
  test.each([
    ['LICENSE_TIER', 'enterprise'],
    ['FEATURE_OVERRIDE', 'crm'],
  ])(
    'issues no file: %s',
    async (name, value) => {
      const world = await openLicensingWorld({ [name]: value });
      try {
        expect((await filesIn(world).issue(BRUNO)).userErrors).toMatchObject([
          { code: 'INVALID_STATE', message: 'This process overrides licences for tests and issues no file.' },
        ]);
      } finally {
        await world.close();
      }
    },
    60_000,
  );
});
