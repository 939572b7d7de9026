import { advanceLicenses } from '../../../subgraphs/licensing/sweeps.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';
import { call, eventsOf } from './doors.ts';

const FABLE = tenantId('fable');
const reason = 'Agreed with their sales.';
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('What was given or shut for a while', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  test('ends at its instant, is written down with it, and is foreseen', async () => {
    const [grantEnds, overrideEnds] = [inDays(3), inDays(5)];
    const given = { tenantId: FABLE, kind: 'FEATURE', key: 'fieldops', source: 'SUPPORT', reason, idempotencyKey: 'x' };
    await call(world, 'grantEntitlement', { ...given, expiresAt: grantEnds });
    await call(world, 'setOverride', {
      tenantId: FABLE,
      key: 'crm',
      isEnabled: false,
      expiresAt: overrideEnds,
      reason,
    });
    const who = { tenant: 'fable', roles: ['tenant_admin'] } as const;
    const ask = async (query: string, variables = {}): Promise<Answer> =>
      (await world.ask({ ...who, roles: [...who.roles] }, query, variables)).data;
    const access = '{ features(keys: ["fieldops", "crm"]) { access reason } }';
    const foreseen = await ask(
      `query($first: DateTime!, $second: DateTime!) { first: licenseAt(at: $first) ${access} second: licenseAt(at: $second) ${access} }`,
      { first: grantEnds, second: overrideEnds },
    );
    const crm = (open: boolean) =>
      open ? { access: 'FULL', reason: null } : { access: 'NONE', reason: 'OVERRIDE_OFF' };
    const over = { access: 'NONE', reason: 'GRANT_ENDED' };
    expect(foreseen).toEqual({ first: { features: [crm(false), over] }, second: { features: [crm(true), over] } });
    await world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
      6 * 86_400,
      FABLE,
    ]);
    expect(await ask(`{ license ${access} }`)).toEqual({ license: { features: [crm(true), over] } });
    await world.inTenant('platform', advanceLicenses);
    const { licenseHistory } = await ask(
      '{ licenseHistory(first: 2) { nodes { cause actor effectiveAt changedKeys } } }',
    );
    expect(licenseHistory.nodes).toEqual([
      { cause: 'TIME', actor: 'SYSTEM', effectiveAt: overrideEnds, changedKeys: ['features.crm'] },
      { cause: 'TIME', actor: 'SYSTEM', effectiveAt: grantEnds, changedKeys: ['features.fieldops'] },
    ]);
    expect((await eventsOf(world, FABLE, 'licensing.feature.ended')).at(-1)).toMatchObject({
      feature: 'fieldops',
      reason: 'GRANT_ENDED',
    });
  });
});
