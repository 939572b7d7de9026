import { type Asker, BRUNO, INGRID, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const CHIDI: Asker = { tenant: 'harbour', user: '6041', roles: ['tenant_admin'] };
const ROSA: Asker = { tenant: 'sable', user: '6051', roles: ['tenant_admin'] };
const UPGRADE = `mutation($input: UpgradeLicenseInput!) { upgradeLicense(input: $input) {
  license { version state enabledFeatures planVersion { plan { code } } interval }
  change { id version previousVersion changedKeys cause actor reason status lines { key amount { amountMinor currency } } }
  propagation { nodes acknowledged waitedMs } userErrors { code message field } } }`;

describe('An administrator upgrades the licence', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const upgrade = async (who: Asker, newPlan: string, idempotencyKey: string, interval?: string) => {
    const { data, errors } = await world.ask(who, UPGRADE, { input: { newPlan, idempotencyKey, interval } });
    expect(errors).toBeUndefined();
    return data.upgradeLicense;
  };

  test.each([
    [INGRID, 'starter', undefined, 'INVALID_STATE', 'starter is not an upgrade from professional.'],
    [INGRID, 'professional', undefined, 'INVALID_STATE', 'The licence already has this plan.'],
    [INGRID, 'gold', undefined, 'NOT_FOUND', 'There is no plan named gold.'],
    [INGRID, 'internal', undefined, 'NOT_FOUND', 'There is no plan named internal.'],
    [BRUNO, 'professional', undefined, 'INVALID_STATE', 'professional is not an upgrade from enterprise.'],
    [ROSA, 'enterprise', undefined, 'INVALID_STATE', 'A suspended licence does not change its plan.'],
  ])('%p asking for %s (%p) is refused with %s', async (who, plan, interval, code, message) => {
    const before = await world.sql('select version from licensing.license order by tenant_id');
    expect(await upgrade(who, plan, 'refused', interval)).toMatchObject({
      license: null,
      userErrors: [{ code, message }],
    });
    expect(await world.sql('select version from licensing.license order by tenant_id')).toEqual(before);
  });

  test('it holds at once, says what it costs, and the same key is the same upgrade', async () => {
    const [{ version }] = await world.sql('select version from licensing.license where tenant_id = $1', [
      tenantId('kestrel'),
    ]);
    const first = await upgrade(WREN, 'professional', 'go');
    expect(first).toMatchObject({
      license: {
        version: version + 1,
        state: 'ACTIVE',
        planVersion: { plan: { code: 'professional' } },
        interval: 'MONTH',
      },
      change: {
        version: version + 1,
        previousVersion: version,
        cause: 'UPGRADED',
        status: 'APPLIED',
        actor: '01990000-0000-7000-8000-000000006011',
      },
      userErrors: [],
    });
    expect(first.license.enabledFeatures).toEqual(['crm', 'tickets', 'projects', 'analytics', 'webhooks', 'api_keys']);
    expect(first.change.changedKeys).toEqual(
      expect.arrayContaining(['planVersion', 'features.crm', 'limits.subscribers']),
    );
    const [charge, credit] = first.change.lines;
    expect([charge.key, credit.key]).toEqual(['charge:plan:professional@1', 'credit:plan:starter@1']);
    expect(Number(charge.amount.amountMinor)).toBeGreaterThan(-Number(credit.amount.amountMinor));
    expect(await upgrade(WREN, 'professional', 'go')).toMatchObject({ license: first.license, change: first.change });
    expect((await upgrade(WREN, 'enterprise', 'go')).userErrors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
    expect((await upgrade(WREN, 'professional', 'again')).userErrors).toMatchObject([
      { message: 'The licence already has this plan.' },
    ]);
  });

  test('billing is told once, in the platform’s log, with the lines of the answer', async () => {
    const told = await world.sql(
      "select tenant_id, payload from kernel.event where name = 'licensing.change.applied' order by tenant_id",
    );
    expect(told.map((row) => row.tenant_id)).toEqual([tenantId('platform'), tenantId('kestrel')]);
    expect(told[0].payload).toEqual(told[1].payload);
    expect(told[0].payload).toMatchObject({
      direction: 'UPGRADE',
      from: 'starter@1',
      to: 'professional@1',
      status: 'APPLIED',
      licensedTenantId: tenantId('kestrel'),
    });
    expect(told[0].payload.lines).toHaveLength(2);
    const history = await world.ask(
      WREN,
      '{ licenseHistory(first: 1, keys: ["planVersion"]) { nodes { id lines { key amount { amountMinor } periodStart periodEnd } changes { key before after } } } }',
    );
    const [change] = history.data.licenseHistory.nodes;
    expect(change.id).toBe(told[0].payload.changeId);
    expect(change.lines.map((line: { amount: { amountMinor: string } }) => line.amount.amountMinor)).toEqual(
      told[0].payload.lines.map((line: { amountMinor: string }) => line.amountMinor),
    );
    expect(change.changes).toContainEqual({ key: 'planVersion', before: 'starter@1', after: 'professional@1' });
  });

  test('what is used stays used, under the new limits', async () => {
    const [before] = await world.sql("select used from kernel.quota where tenant_id = $1 and key = 'staff_users'", [
      tenantId('kestrel'),
    ]);
    const { data } = await world.ask(WREN, '{ quotaUsage(keys: ["staff_users", "storage_gb"]) { limit used source } }');
    expect(data.quotaUsage).toEqual([
      { limit: '10', used: String(before.used), source: 'PLAN' },
      { limit: '150000000000', used: '0', source: 'ADD_ON' },
    ]);
  });

  test('a trial changes its plan and its interval at once, for nothing, and stays a trial', async () => {
    const upgraded = await upgrade(CHIDI, 'enterprise', 'trial', 'YEAR');
    expect(upgraded).toMatchObject({
      license: { state: 'TRIAL', interval: 'YEAR' },
      change: { lines: [] },
      userErrors: [],
    });
    expect(upgraded.license.enabledFeatures).toContain('fieldops');
  });
});
