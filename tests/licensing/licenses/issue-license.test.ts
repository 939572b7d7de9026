import { NGOZI } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const ISSUE =
  'mutation($input: IssueLicenseInput!) { issueLicense(input: $input) { license { id version state trialEndsAt validUntil interval } change { version previousVersion cause changedKeys actor } userErrors { code message field } } }';

describe('The platform gives a tenant its licence', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const issue = async (over: object) =>
    (
      await world.ask(NGOZI, ISSUE, {
        input: {
          tenantId: tenantId('oldtown'),
          plan: 'professional',
          interval: 'MONTH',
          isTrial: true,
          idempotencyKey: 'first',
          ...over,
        },
      })
    ).data.issueLicense;

  test.each([
    ['an unknown plan', { plan: 'gold' }, 'NOT_FOUND', 'There is no plan named gold.'],
    ['the platform’s own plan', { plan: 'internal' }, 'NOT_FOUND', 'There is no plan named internal.'],
    [
      'an unknown tenant',
      { tenantId: '01990000-0000-7000-8000-00000000dead' },
      'NOT_FOUND',
      'There is no such tenant.',
    ],
    ['what cannot be a tenant', { tenantId: 'oldtown' }, 'NOT_FOUND', 'There is no such tenant.'],
    ['a tenant that has one', { tenantId: tenantId('kestrel') }, 'CONFLICT', 'This tenant has a licence already.'],
  ])('%s is refused', async (_, over, code, message) => {
    expect(await issue(over)).toMatchObject({ license: null, userErrors: [{ code, message }] });
  });

  test('a trial of the plan’s length is version 1, written down with who gave it, and the same key gives the same', async () => {
    const first = await issue({});
    expect(first).toMatchObject({
      license: { version: 1, state: 'TRIAL' },
      change: { version: 1, previousVersion: 0, cause: 'ISSUED', actor: '01990000-0000-7000-8000-000000006001' },
      userErrors: [],
    });
    expect(first.change.changedKeys).toEqual(
      expect.arrayContaining(['state', 'planVersion', 'features.crm', 'limits.tickets']),
    );
    const days = (new Date(first.license.trialEndsAt).getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    expect(await issue({})).toEqual(first);
    expect((await issue({ idempotencyKey: 'second' })).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    expect((await issue({ plan: 'starter' })).userErrors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
    const [{ count }] = await world.sql('select count(*)::int from licensing.license where tenant_id = $1', [
      tenantId('oldtown'),
    ]);
    expect(count).toBe(1);
    const events = await world.sql(
      "select name from kernel.event where tenant_id = $1 and name like 'licensing.license.%' order by seq",
      [tenantId('oldtown')],
    );
    expect(events.map(({ name }) => name)).toEqual(['licensing.license.changed', 'licensing.license.started']);
  });

  test('its limits are those the kernel counts against', async () => {
    const rows = await world.sql(
      'select key, "limit"::text, policy, anchor_day, zone from kernel.quota where tenant_id = $1 order by key',
      [tenantId('oldtown')],
    );
    expect(rows.map(({ key, limit, policy }) => [key, limit, policy])).toEqual([
      ['api_calls', '500000', 'OVERAGE'],
      ['devices', '250', 'HARD'],
      ['staff_users', '10', 'HARD'],
      ['storage_gb', '50000000000', 'OVERAGE'],
      ['subscribers', '5000', 'HARD'],
      ['tickets', '1000', 'HARD'],
      ['webhook_endpoints', '5', 'HARD'],
    ]);
    expect(rows[0]).toMatchObject({ zone: 'Europe/Warsaw' });
  });
});
