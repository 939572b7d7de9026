import { setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { dueTenants } from '../../../subgraphs/licensing/licenses/due.service.ts';
import { advanceLicense, MOVED_BY_TIME } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { type Asker, NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const KESTREL = tenantId('kestrel');
const OVERRIDE =
  'mutation($input: SetOverrideInput!) { setOverride(input: $input) { license { version } change { version changedKeys } userErrors { code field message } } }';
const REMOVE =
  'mutation($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { version } change { cause } userErrors { code message } } }';
const HOLD =
  'mutation($input: PlaceLicenseHoldInput!) { placeLicenseHold(input: $input) { license { version state enabledFeatures holds { id kind } } change { changedKeys } userErrors { code message } } }';
const LIFT =
  'mutation($input: LiftLicenseHoldInput!) { liftLicenseHold(input: $input) { license { version state } change { cause } userErrors { code message } } }';

describe('Every change of a licence is one version, written down', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const versionOf = async (tenant = KESTREL) =>
    (await world.sql('select version from licensing.license where tenant_id = $1', [tenant]))[0].version as number;
  const ask = async (query: string, input: object) => {
    const { data, errors } = await world.ask(NGOZI, query, { input });
    expect(errors).toBeUndefined();
    return Object.values(data)[0] as never as {
      license: { version: number; state: string; holds: { id: string }[] };
      change: { changedKeys: string[] } | null;
      userErrors: { code: string }[];
    };
  };
  const reason = 'Agreed with their sales.';

  test('100 changes at the same time are 100 consecutive versions', async () => {
    const before = await versionOf();
    const todo = Array.from({ length: 100 }, (_, i) => BigInt(1_000 + i));
    const worker = async () => {
      for (let limit = todo.pop(); limit !== undefined; limit = todo.pop()) {
        const terms = { key: 'devices', limit, reason };
        await world.inTenant('kestrel', (ctx) => setOverride(ctx, terms));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(await versionOf()).toBe(before + 100);
    const rows = await world.sql(
      'select version, previous_version, event_id from licensing.license_change where tenant_id = $1 and version > $2 order by version',
      [KESTREL, before],
    );
    expect(rows.map((row) => [row.version, row.previous_version])).toEqual(
      Array.from({ length: 100 }, (_, i) => [before + i + 1, before + i]),
    );
    const events = await world.sql(
      "select id, payload from kernel.event where tenant_id = $1 and name = 'licensing.license.changed' and (payload ->> 'version')::int > $2 order by seq",
      [KESTREL, before],
    );
    expect(events.map((event) => event.id)).toEqual(rows.map((row) => row.event_id));
    expect(events.map((event) => event.payload.version)).toEqual(rows.map((row) => row.version));
    const [{ version }] = await world.sql('select version from kernel.entitlement where tenant_id = $1', [KESTREL]);
    expect(version).toBe(before + 100);
  });

  test('a write that changes nothing adds nothing', async () => {
    const input = { tenantId: KESTREL, key: 'subscribers', limit: '600', reason };
    const first = await ask(OVERRIDE, input);
    expect(first.change?.changedKeys).toEqual(['limits.subscribers']);
    const again = await ask(OVERRIDE, { ...input, reason: 'The same, said in other words.' });
    expect(again).toMatchObject({ license: { version: first.license.version }, change: null, userErrors: [] });
  });

  test('an override of the policy alone keeps the limit; removing it brings back what was', async () => {
    await ask(OVERRIDE, { tenantId: KESTREL, key: 'subscribers', policy: 'OVERAGE', reason });
    const usage = async () =>
      (await world.ask(WREN, '{ quotaUsage(keys: ["subscribers"]) { limit policy source unitRate } }')).data
        .quotaUsage[0];
    expect(await usage()).toEqual({ limit: '500', policy: 'OVERAGE', source: 'PLAN', unitRate: '0.1' });
    expect(await ask(REMOVE, { tenantId: KESTREL, key: 'subscribers', reason })).toMatchObject({
      change: { cause: 'OVERRIDE_REMOVED' },
      userErrors: [],
    });
    expect(await usage()).toEqual({ limit: '500', policy: 'HARD', source: 'PLAN', unitRate: '0.1' });
    expect((await ask(REMOVE, { tenantId: KESTREL, key: 'subscribers', reason })).userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
  });

  test('an override that shuts a feature beats a grant that is alive, and removing it brings the grant back', async () => {
    const northwind = tenantId('northwind');
    const access = async () =>
      (
        await world.ask(
          { tenant: 'northwind', roles: ['tenant_admin'] },
          '{ license { features(keys: ["white_label"]) { access source reason } } }',
        )
      ).data.license.features[0];
    expect(await access()).toEqual({ access: 'FULL', source: 'GRANT', reason: null });
    const off = await ask(OVERRIDE, { tenantId: northwind, key: 'white_label', isEnabled: false, reason });
    expect(off.change?.changedKeys).toEqual(['features.white_label']);
    expect(await access()).toEqual({ access: 'NONE', source: 'OVERRIDE', reason: 'OVERRIDE_OFF' });
    const [event] = await world.sql(
      "select payload from kernel.event where tenant_id = $1 and name = 'licensing.license.changed' order by seq desc limit 1",
      [northwind],
    );
    expect(event.payload).toMatchObject({
      endedFeatures: [{ feature: 'white_label', reason: 'OVERRIDE_OFF' }],
      cause: 'OVERRIDE_SET',
    });
    await ask(REMOVE, { tenantId: northwind, key: 'white_label', reason });
    expect(await access()).toEqual({ access: 'FULL', source: 'GRANT', reason: null });
  });

  test('the history tells who, when, why, before and after', async () => {
    await ask(OVERRIDE, { tenantId: KESTREL, key: 'crm', isEnabled: true, reason: 'A month to look at it.' });
    const { data } = await world.ask(
      WREN,
      '{ licenseHistory(first: 1) { nodes { version previousVersion changedKeys cause actor reason status effectiveAt changes { key before after } } pageInfo { hasNextPage endCursor } } }',
    );
    const [change] = data.licenseHistory.nodes;
    expect(change).toMatchObject({
      ...{ changedKeys: ['features.crm'], cause: 'OVERRIDE_SET', actor: '01990000-0000-7000-8000-000000006001' },
      ...{ reason: 'A month to look at it.', status: 'APPLIED' },
      changes: [{ key: 'features.crm', before: null, after: '{"access":"FULL","source":"OVERRIDE"}' }],
    });
    expect(Math.abs(Date.now() - new Date(change.effectiveAt).getTime())).toBeLessThan(10_000);
    const next = await world.ask(
      WREN,
      'query($after: String!) { licenseHistory(first: 1, after: $after) { nodes { version } } }',
      { after: data.licenseHistory.pageInfo.endCursor },
    );
    expect(next.data.licenseHistory.nodes).toEqual([{ version: change.previousVersion }]);
    const bad = await world.ask(WREN, '{ licenseHistory(keys: ["features.crn"]) { nodes { id } } }');
    expect(bad.errors[0]).toMatchObject({
      message: 'Unknown part of a licence: features.crn.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('the history cannot be rewritten', async () => {
    const tampering = (text: string) => world.inTenant('kestrel', (ctx) => ctx.tx((em) => em.execute(text)));
    await expect(tampering("update licensing.license_change set reason = 'never'")).rejects.toThrow(
      'permission denied',
    );
    await expect(tampering('delete from licensing.license_change')).rejects.toThrow('permission denied');
    await expect(tampering('update licensing.plan_version set price_minor = 1')).rejects.toThrow(
      'A published version does not change.',
    );
  });

  test('a licence is as closed as its strictest hold, and one hold lifted does not lift another', async () => {
    const first = await ask(HOLD, { tenantId: KESTREL, kind: 'ABUSE', level: 'RESTRICTED', reason });
    expect(first.license).toMatchObject({ state: 'RESTRICTED' });
    const second = await ask(HOLD, { tenantId: KESTREL, kind: 'LEGAL', level: 'SUSPENDED', reason });
    expect(second.license).toMatchObject({ state: 'SUSPENDED', enabledFeatures: [] });
    const third = await ask(HOLD, { tenantId: KESTREL, kind: 'OPERATOR', level: 'SUSPENDED', reason });
    expect(third).toMatchObject({ license: { version: second.license.version, state: 'SUSPENDED' }, change: null });
    const [abuse, legal, operator] = third.license.holds.map((hold) => hold.id);
    expect(await ask(LIFT, { id: legal, reason })).toMatchObject({ license: { state: 'SUSPENDED' }, change: null });
    expect(await ask(LIFT, { id: operator, reason })).toMatchObject({
      license: { state: 'RESTRICTED' },
      change: { cause: 'HOLD_LIFTED' },
    });
    expect(await ask(LIFT, { id: abuse, reason })).toMatchObject({ license: { state: 'ACTIVE' } });
    for (const id of [abuse, '01990000-0000-7000-8000-00000000dead', 'nonsense'])
      expect((await ask(LIFT, { id, reason })).userErrors).toMatchObject([
        { code: 'NOT_FOUND', message: 'There is no such hold.' },
      ]);
  });

  test('an unknown tenant, an unknown key and half a sentence are refused', async () => {
    expect(
      (await ask(OVERRIDE, { tenantId: '01990000-0000-7000-8000-00000000dead', key: 'crm', isEnabled: true, reason }))
        .userErrors,
    ).toMatchObject([{ code: 'NOT_FOUND', message: 'There is no such tenant.' }]);
    expect(
      (await ask(OVERRIDE, { tenantId: 'kestrel', key: 'crm', isEnabled: true, reason })).userErrors,
    ).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(
      (await ask(OVERRIDE, { tenantId: tenantId('oldtown'), key: 'crm', isEnabled: true, reason })).userErrors,
    ).toMatchObject([{ code: 'NOT_FOUND', message: 'This tenant has no licence.' }]);
    expect(
      (await ask(OVERRIDE, { tenantId: KESTREL, key: 'crm', isEnabled: true, reason: 'why' })).userErrors,
    ).toMatchObject([{ code: 'INVALID', field: 'reason' }]);
    const unknown = await world.ask(NGOZI, OVERRIDE, {
      input: { tenantId: KESTREL, key: 'crn', isEnabled: true, reason },
    });
    expect(unknown.errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });

  test('a suspended tenant’s licence is held until the tenant is active again', async () => {
    const suspend = 'mutation($input: SuspendTenantInput!) { suspendTenant(input: $input) { userErrors { message } } }';
    const reactivate = 'mutation($input: TenantInput!) { reactivateTenant(input: $input) { userErrors { message } } }';
    const state = async () =>
      (
        await world.ask(
          NGOZI,
          `{ tenantLicense(tenantId: "${tenantId('atlas')}") { state holds { kind level reason } } }`,
        )
      ).data.tenantLicense;
    await world.world.ask(NGOZI, 'tenancy', suspend, { input: { tenantId: tenantId('atlas'), reason: 'NON_PAYMENT' } });
    await world.world.untilNoJobs();
    expect(await state()).toEqual({
      state: 'SUSPENDED',
      holds: [{ kind: 'TENANT_SUSPENDED', level: 'SUSPENDED', reason: 'The tenant is suspended: NON_PAYMENT.' }],
    });
    await world.world.ask(NGOZI, 'tenancy', reactivate, { input: { tenantId: tenantId('atlas') } });
    await world.world.untilNoJobs();
    expect(await state()).toEqual({ state: 'ACTIVE', holds: [] });
  });

  test('a trial that ends closes at its instant without a job; the sweep writes each move down, once', async () => {
    const fable = tenantId('fable');
    const system: Asker = { tenant: 'fable', roles: ['tenant_admin'] };
    const move = (days: number) =>
      world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
        days * 86_400 + 60,
        fable,
      ]);
    const seen = async () => {
      const { data } = await world.ask(
        system,
        '{ license { version state features(keys: ["crm"]) { access reason } } }',
      );
      return [
        data.license.version,
        data.license.state,
        data.license.features[0].access,
        data.license.features[0].reason,
      ];
    };
    expect(await seen()).toEqual([1, 'TRIAL', 'FULL', null]);
    await move(31);
    expect(await seen()).toEqual([1, 'RESTRICTED', 'READ', 'TRIAL_ENDED']);
    expect((await world.ask(NGOZI, `{ tenantLicense(tenantId: "${fable}") { state } }`)).data.tenantLicense.state).toBe(
      'RESTRICTED',
    );
    await move(46);
    expect(await seen()).toEqual([1, 'EXPIRED', 'NONE', 'EXPIRED']);
    expect(await world.inTenant('platform', (ctx) => dueTenants(ctx, MOVED_BY_TIME, 10))).toContain(fable);
    const moves = await world.inTenant('fable', advanceLicense);
    expect(moves.map(({ version, cause, actor, after }) => [version, cause, actor, after.state])).toEqual([
      [2, 'TIME', 'SYSTEM', 'RESTRICTED'],
      [3, 'TIME', 'SYSTEM', 'EXPIRED'],
    ]);
    expect(await world.inTenant('fable', advanceLicense)).toEqual([]);
    expect(await world.inTenant('platform', (ctx) => dueTenants(ctx, MOVED_BY_TIME, 10))).not.toContain(fable);
    const events = await world.sql(
      "select payload from kernel.event where tenant_id = $1 and name = 'licensing.license.changed' order by seq",
      [fable],
    );
    expect(
      events.slice(1).map(({ payload }) => [payload.version, payload.reason, payload.endedFeatures.length]),
    ).toEqual([
      [2, 'TRIAL_ENDED', 0],
      [3, 'EXPIRED', 6],
    ]);
    expect(await seen()).toEqual([3, 'EXPIRED', 'NONE', 'EXPIRED']);
  });
});
