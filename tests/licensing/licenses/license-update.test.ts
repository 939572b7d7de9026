import { removeOverride, setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { INGRID } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FOLLOW = (after?: number) => `subscription { licenseUpdated${after === undefined ? '' : `(after: ${after})`} {
  kind version previousVersion changedKeys endedFeatures { feature reason } license { version enabledFeatures tenant { id } } reason effectiveAt committedAt } }`;

describe('An open portal follows its licence', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const reason = 'Agreed with their sales.';
  const off = () => world.inTenant('northwind', (ctx) => setOverride(ctx, { key: 'crm', isEnabled: false, reason }));
  const on = () => world.inTenant('northwind', (ctx) => removeOverride(ctx, 'crm', reason));
  const next = async (stream: AsyncGenerator<unknown>): Promise<Answer> => {
    const { value } = await stream.next();
    const { data, errors } = value as { data?: Answer; errors?: unknown };
    expect(errors).toBeUndefined();
    return data.licenseUpdated;
  };

  test('it is told the present version first, then each change within a second, with what ended and why', async () => {
    const stream = await world.follow(INGRID, FOLLOW());
    const first = await next(stream);
    expect(first).toMatchObject({
      kind: 'SNAPSHOT',
      previousVersion: null,
      changedKeys: [],
      endedFeatures: [],
      license: { version: first.version, tenant: { id: tenantId('northwind') } },
    });
    const began = Date.now();
    await off();
    const second = await next(stream);
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(second).toMatchObject({
      kind: 'DELTA',
      version: first.version + 1,
      previousVersion: first.version,
      changedKeys: ['features.crm'],
      endedFeatures: [{ feature: 'crm', reason: 'OVERRIDE_OFF' }],
      reason: null,
    });
    expect(second.license.enabledFeatures).not.toContain('crm');
    expect(new Date(second.committedAt).getTime()).toBeGreaterThanOrEqual(new Date(second.effectiveAt).getTime());
    await on();
    expect(await next(stream)).toMatchObject({
      kind: 'DELTA',
      version: first.version + 2,
      previousVersion: first.version + 1,
      endedFeatures: [],
    });
    await stream.return(undefined);
  });

  test('it comes back with the version it holds and is told ten changes in order; ahead or long gone, one snapshot', async () => {
    const [{ version }] = await world.sql('select version from licensing.license where tenant_id = $1', [
      tenantId('northwind'),
    ]);
    for (let i = 0; i < 5; i++) {
      await off();
      await on();
    }
    const back = await world.follow(INGRID, FOLLOW(version));
    for (let v = version + 1; v <= version + 10; v++) {
      const delta = await next(back);
      expect([delta.kind, delta.previousVersion, delta.version, delta.license.version]).toEqual([
        'DELTA',
        v - 1,
        v,
        version + 10,
      ]);
    }
    await off();
    expect(await next(back)).toMatchObject({ kind: 'DELTA', previousVersion: version + 10, version: version + 11 });
    await back.return(undefined);
    for (const after of [version + 11, version + 16, -1, version - 2_000]) {
      const stream = await world.follow(INGRID, FOLLOW(after));
      expect(await next(stream)).toMatchObject({
        kind: 'SNAPSHOT',
        version: version + 11,
        license: { version: version + 11 },
      });
      await stream.return(undefined);
    }
    const fromNothing = await world.follow(INGRID, FOLLOW(0));
    expect(await next(fromNothing)).toMatchObject({ kind: 'DELTA', previousVersion: 0, version: 1 });
    await fromNothing.return(undefined);
  });

  test('versions over ninety days old are not told one by one', async () => {
    const [{ version }] = await world.sql('select version from licensing.license where tenant_id = $1', [
      tenantId('northwind'),
    ]);
    await world.sql(
      "update kernel.event set at = at - interval '91 days' where tenant_id = $1 and name = 'licensing.license.changed' and payload ->> 'version' = '2'",
      [tenantId('northwind')],
    );
    for (const [after, kind] of [
      [1, 'SNAPSHOT'],
      [2, 'DELTA'],
    ] as const) {
      const stream = await world.follow(INGRID, FOLLOW(after));
      expect(await next(stream)).toMatchObject({ kind, version: kind === 'DELTA' ? 3 : version });
      await stream.return(undefined);
    }
  });

  test('a tenant without a licence hears that it has none, and then of its first', async () => {
    const stream = await world.follow({ tenant: 'oldtown', roles: ['tenant_admin'] }, FOLLOW());
    expect(await next(stream)).toMatchObject({ kind: 'SNAPSHOT', version: 0, license: null });
    const { issueLicense } = await import('../../../subgraphs/licensing/licenses/license.service.ts');
    await world.inTenant('oldtown', (ctx) =>
      issueLicense(ctx, { plan: 'starter', interval: 'MONTH', isTrial: true, terms: 'INVOICED', idempotencyKey: 'k' }),
    );
    expect(await next(stream)).toMatchObject({
      kind: 'DELTA',
      previousVersion: 0,
      version: 1,
      license: { version: 1, enabledFeatures: ['tickets'] },
    });
    await stream.return(undefined);
  });

  test('another tenant’s changes are not heard', async () => {
    const stream = await world.follow({ tenant: 'atlas', roles: ['tenant_admin'] }, FOLLOW());
    await next(stream);
    await on();
    await off();
    await world.inTenant('atlas', (ctx) => setOverride(ctx, { key: 'partners', isEnabled: false, reason }));
    expect(await next(stream)).toMatchObject({ kind: 'DELTA', changedKeys: ['features.partners'] });
    await stream.return(undefined);
  });
});
