import { randomUUID } from 'node:crypto';
import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const SET = `mutation($input: SetEnforcementInput!) { setEnforcement(input: $input) {
  licenses license { enforcement version } change { version cause changedKeys } propagation { nodes } userErrors { code message field } } }`;
const SHOWN =
  'query($id: ID!) { tenantLicense(tenantId: $id) { enforcement enabledFeatures features(keys: ["fieldops"]) { access reason } } }';
const DAY_MS = 86_400_000;
const ahead = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

describe('A fleet set to observe', () => {
  let licensing: LicensingWorld;
  beforeAll(async () => {
    licensing = await openLicensingWorld();
  }, 60_000);
  afterAll(() => licensing?.close());

  const set = async (input: object) => (await licensing.ask(NGOZI, SET, { input })).data.setEnforcement;
  const licenseOf = async (slug: Parameters<typeof tenantId>[0]) => {
    const [row] = await licensing.sql(
      `select l.*, e.version as copied, e.course from licensing.license l join kernel.entitlement e using (tenant_id) where l.tenant_id = $1`,
      [tenantId(slug)],
    );
    return row;
  };
  const lastOf = async (slug: Parameters<typeof tenantId>[0]) => {
    const [change] = await licensing.sql(
      'select * from licensing.license_change where tenant_id = $1 order by version desc limit 1',
      [tenantId(slug)],
    );
    const [event] = await licensing.sql('select * from kernel.event where tenant_id = $1 and id = $2', [
      tenantId(slug),
      change.event_id,
    ]);
    return { change, event };
  };

  test('one tenant: a version, its history, and back by itself at the instant', async () => {
    const before = await licenseOf('fable');
    const until = ahead(2);
    const told = await set({ tenantIds: [tenantId('fable')], mode: 'OBSERVE', observeUntil: until });
    expect(told).toMatchObject({
      ...{ licenses: 1, license: { enforcement: 'OBSERVE', version: before.version + 1 }, userErrors: [] },
      change: { version: before.version + 1, cause: 'ENFORCEMENT_SET', changedKeys: ['enforcement', 'observeUntil'] },
    });
    const observing = await licenseOf('fable');
    expect(observing.next_transition_at.toISOString()).toBe(until);
    expect(observing.course.map((step: { observed?: string }) => step.observed ?? null).slice(0, 2)).toEqual([
      'FULL',
      null,
    ]);
    const shown = async () => (await licensing.ask(NGOZI, SHOWN, { id: tenantId('fable') })).data.tenantLicense;
    const license = await shown();
    expect(license).toMatchObject({
      enforcement: 'OBSERVE',
      features: [{ access: 'NONE', reason: 'NOT_IN_PLAN' }],
    });
    expect(license.enabledFeatures).not.toContain('fieldops');
    const again = await set({ tenantIds: [tenantId('fable')], mode: 'OBSERVE', observeUntil: until });
    expect(again).toMatchObject({ change: null, userErrors: [] });

    await licensing.sql('update kernel.tenant_profile set clock_offset_seconds = 259200 where tenant_id = $1', [
      tenantId('fable'),
    ]);
    expect((await shown()).enforcement).toBe('ENFORCE');
    const moves = await licensing.inTenant('fable', advanceLicense);
    expect(moves.map(({ cause, changedKeys, effectiveAt }) => [cause, changedKeys, effectiveAt.toISOString()])).toEqual(
      [['TIME', ['enforcement', 'observeUntil'], until]],
    );
  });

  test('several tenants at once get what one alone gets, all or none', async () => {
    const slugs = ['kestrel', 'harbour', 'atlas'] as const;
    const before = await Promise.all(slugs.map(licenseOf));
    const unknown = await set({
      tenantIds: [tenantId('kestrel'), tenantId('oldtown')],
      mode: 'OBSERVE',
      observeUntil: ahead(1),
    });
    expect(unknown.userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such tenant, or it has no licence.', field: 'tenantIds' },
    ]);
    expect(await licenseOf('kestrel')).toEqual(before[0]);
    const until = ahead(3);
    expect(await set({ tenantIds: slugs.map(tenantId), mode: 'OBSERVE', observeUntil: until })).toMatchObject({
      ...{ licenses: 3, license: null, userErrors: [] },
    });
    for (const [i, slug] of slugs.entries()) {
      const license = await licenseOf(slug);
      const version = before[i].version + 1;
      expect(license).toMatchObject({
        version,
        copied: version,
        enforcement: 'OBSERVE',
        observe_until: new Date(until),
      });
      expect(license.snapshot).toMatchObject({ enforcement: 'OBSERVE', observeUntil: until });
      const { change, event } = await lastOf(slug);
      expect(change).toMatchObject({
        ...{ version, previous_version: version - 1, cause: 'ENFORCEMENT_SET', status: 'APPLIED', lines: [] },
        ...{ changed_keys: ['enforcement', 'observeUntil'], before: { enforcement: 'ENFORCE', observeUntil: null } },
        ...{ after: { enforcement: 'OBSERVE', observeUntil: until }, actor: expect.stringMatching(/6001$/) },
      });
      expect(event).toMatchObject({
        ...{ name: 'licensing.license.changed', actor: expect.stringMatching(/6001$/) },
        payload: {
          version,
          previousVersion: version - 1,
          cause: 'ENFORCEMENT_SET',
          endedFeatures: [],
          limits: expect.any(Object),
        },
      });
      const [{ broken }] = await licensing.sql(
        `select kernel.audit_break() as broken from (select set_config('app.tenant_id', $1, false)) s`,
        [tenantId(slug)],
      );
      expect(broken).toBeNull();
    }
    const { data } = await licensing.ask(
      WREN,
      '{ licenseHistory(first: 1) { nodes { version cause keys: changedKeys } } }',
    );
    expect(data.licenseHistory.nodes).toEqual([
      { version: before[0].version + 1, cause: 'ENFORCEMENT_SET', keys: ['enforcement', 'observeUntil'] },
    ]);
  });

  test('the whole fleet is ordered at once, changed in the background, and a newer order wins', async () => {
    const observe = await set({ all: true, mode: 'OBSERVE', observeUntil: ahead(5) });
    const enforce = await set({ all: true, mode: 'ENFORCE' });
    expect(observe).toMatchObject({ licenses: enforce.licenses, userErrors: [] });
    await licensing.world.untilNoJobs();
    const rows = await licensing.sql("select snapshot ->> 'enforcement' as says from licensing.license");
    expect(rows).toHaveLength(enforce.licenses);
    for (const row of rows) expect(row.says).toBe('ENFORCE');
    await set({ all: true, mode: 'OBSERVE', observeUntil: ahead(5) });
    await licensing.world.untilNoJobs();
    const [{ count }] = await licensing.sql(
      "select count(*)::int from licensing.license where enforcement = 'OBSERVE'",
    );
    expect(count).toBe(enforce.licenses);
    expect((await lastOf('kestrel')).change).toMatchObject({ actor: expect.stringMatching(/6001$/) });
  });

  test('a licence that time has moved since takes the way of any other change', async () => {
    await set({ tenantIds: [tenantId('atlas'), tenantId('harbour')], mode: 'ENFORCE' });
    // Harbour's trial ends before anybody writes it down.
    await licensing.sql(
      `select set_config('app.tenant_id', '${tenantId('harbour')}', false);
       update licensing.license set trial_ends_at = now() - interval '1 hour' where tenant_id = kernel.tenant_id()`,
    );
    const told = await set({
      tenantIds: [tenantId('atlas'), tenantId('harbour')],
      mode: 'OBSERVE',
      observeUntil: ahead(1),
    });
    expect(told.userErrors).toEqual([]);
    expect((await licenseOf('harbour')).enforcement).toBe('OBSERVE');
    expect((await licenseOf('harbour')).snapshot).toMatchObject({ state: 'RESTRICTED', enforcement: 'OBSERVE' });
    expect((await licenseOf('atlas')).enforcement).toBe('OBSERVE');
  });

  test('what makes no sense is refused, and so is who may not', async () => {
    expect(
      (await set({ tenantIds: [tenantId('kestrel')], mode: 'OBSERVE', observeUntil: ahead(31) })).userErrors,
    ).toEqual([{ code: 'INVALID', message: 'The end is at most 30 days ahead.', field: 'observeUntil' }]);
    for (const strange of [randomUUID(), 'x', tenantId('oldtown')])
      expect((await set({ tenantIds: [strange], mode: 'ENFORCE' })).userErrors[0].code).toBe('NOT_FOUND');
    const refused = await licensing.ask(INGRID, SET, { input: { all: true, mode: 'ENFORCE' } });
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
