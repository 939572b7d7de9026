import { emit } from '../../../subgraphs/_kernel/events.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import type { Answer } from '../licensing-world.ts';

const [PLATFORM, KESTREL] = ['0001', '0a01'].map((end) => `01990000-0000-7000-8000-00000000${end}`) as [string, string];

describe('A tenant that closes', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());
  const tenancyTells = async (name: 'tenancy.tenant.closed' | 'tenancy.tenant.reopened') => {
    const ctx = await running.world.system('kestrel', 'tenancy');
    await ctx.tx(
      async (em) =>
        void emit(em, name, { closesAt: name === 'tenancy.tenant.closed' ? '2030-01-01T00:00:00Z' : null } as never),
    );
    await running.world.untilNoJobs();
  };
  const license = async (): Promise<Answer> =>
    (
      await wren.ask<Answer, object>(
        '{ license { id version autoRenew validUntil graceEndsAt } licenseHistory(first: 1) { nodes { cause changedKeys } } }',
      )
    ).data;
  const told = (tenantId: string, name: string) =>
    running.world
      .sql('select payload from kernel.event where tenant_id = $1 and name = $2', [tenantId, name])
      .then((rows) => rows.map(({ payload }) => payload));

  test('is told that its stream ends, and why; then the stream is over', async () => {
    const portal = wren.follow<Answer, object>(
      'subscription { licenseUpdated { kind version previousVersion reason license { version } } }',
    );
    const { version } = (await portal.next()).data.licenseUpdated;
    await tenancyTells('tenancy.tenant.closed');
    for (;;) {
      const { licenseUpdated } = (await portal.next()).data;
      if (licenseUpdated.kind !== 'ENDED') continue;
      expect(licenseUpdated).toMatchObject({ previousVersion: null, reason: 'TENANT_CLOSED' });
      expect(licenseUpdated.version - version).toBeLessThanOrEqual(1);
      break;
    }
    await portal.done;
  });

  test('does not renew, of which billing hears; reopened, it does again', async () => {
    const closed = await license();
    expect(closed).toMatchObject({
      license: { autoRenew: false, graceEndsAt: closed.license.validUntil },
      licenseHistory: {
        nodes: [{ cause: 'TENANT_CLOSED', changedKeys: expect.arrayContaining(['autoRenew', 'graceEndsAt']) }],
      },
    });
    const stopped = { licenseId: closed.license.id, endsAt: closed.license.validUntil, licensedTenantId: KESTREL };
    for (const log of [KESTREL, PLATFORM])
      expect(await told(log, 'licensing.license.renewal_stopped')).toEqual([stopped]);
    await tenancyTells('tenancy.tenant.reopened');
    const open = await license();
    expect(open).toMatchObject({
      license: { autoRenew: true, version: closed.license.version + 1 },
      licenseHistory: { nodes: [{ cause: 'TENANT_REOPENED' }] },
    });
    for (const log of [KESTREL, PLATFORM])
      expect(await told(log, 'licensing.license.renewal_resumed')).toEqual([stopped]);
  });

  test('that did not renew before does not when it reopens', async () => {
    await running.world.sql(
      `select set_config('app.tenant_id', '${KESTREL}', false); update licensing.license set auto_renew = false where tenant_id = '${KESTREL}'`,
    );
    await tenancyTells('tenancy.tenant.closed');
    await tenancyTells('tenancy.tenant.reopened');
    expect((await license()).license.autoRenew).toBe(false);
    expect(await told(PLATFORM, 'licensing.license.renewal_stopped')).toHaveLength(1);
  });
});
