import { randomUUID } from 'node:crypto';
import { carryOnMigrations } from '../../../subgraphs/licensing/changes/plan-migration-run.service.ts';
import { advanceLicenses } from '../../../subgraphs/licensing/sweeps.ts';
import { type Asker, INGRID, NGOZI } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FEN: Asker = { tenant: 'fable', user: '6091', roles: ['tenant_admin'] };
const ROSA: Asker = { tenant: 'sable', user: '6051', roles: ['tenant_admin'] };
const V1 = '01990000-0000-7000-8000-000000000202';
const DRAFT = `mutation($input: DraftPlanVersionInput!) { draftPlanVersion(input: $input) { planVersion { id } userErrors { message } } }`;
const PUBLISH =
  'mutation($id: ID!) { publishPlanVersion(input: { id: $id }) { planVersion { number } userErrors { message } } }';
const PREVIEW = `query($input: PlanMigrationInput!) { previewPlanMigration(input: $input) { hash licenses moved scheduled left directions { direction licenses } } }`;
const MIGRATE = `mutation($input: MigratePlanVersionInput!) { migratePlanVersion(input: $input) {
  migration { id when orderedBy finishedAt progress { licenses moved scheduled left } fromVersion { number } toVersion { number } }
  userErrors { code message field } } }`;
const LICENSE = `{ license { version state planVersion { number status price { amountMinor } } limits { key limit }
  scheduledChange { id status effectiveAt direction cause } } licenseHistory(first: 1) { nodes { cause reason actor lines { key } } } }`;
const DAY_MS = 86_400_000;

describe('The platform moves licences to another version of their plan', () => {
  let world: LicensingWorld;
  beforeEach(async () => {
    world = await openLicensingWorld();
  });
  afterEach(() => world?.close());

  const ask = async (who: Asker, query: string, variables: Record<string, unknown> = {}): Promise<Answer> => {
    const { data, errors } = await world.ask(who, query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  /** Publishes the next version of professional: with more or fewer subscribers, at another price. */
  const publish = async (
    subscribers: string,
    features = ['tickets', 'crm', 'projects', 'analytics', 'webhooks', 'api_keys'],
  ) => {
    const limits = [
      { key: 'subscribers', limit: subscribers, unitRate: '0.08' },
      { key: 'staff_users', limit: '10', unitRate: '5.00' },
      { key: 'devices', limit: '250' },
      { key: 'tickets', limit: '1000' },
      { key: 'api_calls', limit: '500000', policy: 'OVERAGE', unitRate: '0.001' },
      { key: 'storage_gb', limit: '50000000000', policy: 'OVERAGE', unitRate: '0.50' },
      { key: 'webhook_endpoints', limit: '5' },
    ];
    const price = { amountMinor: '34900', currency: 'USD' };
    const input = { plan: 'professional', price, annualDiscountPercent: '20', trialDays: 30, features, limits };
    const { planVersion } = (await ask(NGOZI, DRAFT, { input })).draftPlanVersion;
    expect((await ask(NGOZI, PUBLISH, { id: planVersion.id })).publishPlanVersion.userErrors).toEqual([]);
    return planVersion.id as string;
  };
  const order = (toVersionId: string, more: object = {}) => ({ fromVersionId: V1, toVersionId, when: 'NOW', ...more });
  const preview = async (input: object) => (await ask(NGOZI, PREVIEW, { input })).previewPlanMigration;
  const migrate = async (input: object, previewHash: string, idempotencyKey: string = randomUUID()) =>
    (await ask(NGOZI, MIGRATE, { input: { ...input, previewHash, idempotencyKey } })).migratePlanVersion;
  const versionsHeld = () =>
    world.sql(
      `select right(l.tenant_id::text, 4) as tenant, v.number from licensing.license l join licensing.plan_version v on v.id = l.plan_version_id
         join licensing.plan p on p.id = v.plan_id where p.code = 'professional' order by 1`,
    );

  test('northwind keeps version 1 and its price, a new licence gets version 2, and an order moves it, once', async () => {
    const to = await publish('6000');
    const before = (await ask(INGRID, LICENSE)).license;
    expect(before.planVersion).toEqual({ number: 1, status: 'RETIRED', price: { amountMinor: '29900' } });
    await ask(
      NGOZI,
      `mutation { issueLicense(input: { tenantId: "${tenantId('oldtown')}", plan: "professional", interval: MONTH, idempotencyKey: "k" }) { userErrors { code } } }`,
    );
    expect(await versionsHeld()).toContainEqual({ tenant: '0a06', number: 2 });

    const input = order(to, { tenantIds: [tenantId('northwind')] });
    const seen = await preview(input);
    expect(seen).toMatchObject({
      licenses: 1,
      moved: 1,
      scheduled: 0,
      left: 0,
      directions: [{ direction: 'UPGRADE', licenses: 1 }],
    });
    const key = randomUUID();
    const done = await migrate(input, seen.hash, key);
    expect(done).toMatchObject({
      migration: {
        ...{ when: 'NOW', orderedBy: '01990000-0000-7000-8000-000000006001', finishedAt: expect.any(String) },
        ...{
          progress: { licenses: 1, moved: 1, scheduled: 0, left: 0 },
          fromVersion: { number: 1 },
          toVersion: { number: 2 },
        },
      },
      userErrors: [],
    });
    const after = await ask(INGRID, LICENSE);
    expect(after.license).toMatchObject({
      version: before.version + 1,
      planVersion: { number: 2, price: { amountMinor: '34900' } },
    });
    expect(after.license.limits).toContainEqual({ key: 'subscribers', limit: '6000' });
    expect(after.licenseHistory.nodes[0]).toMatchObject({
      ...{
        cause: 'PLAN_MIGRATED',
        reason: 'Moved from professional@1 to professional@2.',
        actor: '01990000-0000-7000-8000-000000006001',
      },
    });
    const lines = after.licenseHistory.nodes[0].lines.map((line: { key: string }) => line.key);
    expect(lines).toEqual(expect.arrayContaining(['charge:plan:professional@2', 'credit:plan:professional@1']));
    const told = await world.sql(
      "select payload from kernel.event where name = 'licensing.change.applied' and tenant_id = $1",
      [tenantId('platform')],
    );
    expect(told.at(-1)?.payload).toMatchObject({
      from: 'professional@1',
      to: 'professional@2',
      licensedTenantId: tenantId('northwind'),
    });

    expect(await migrate(input, seen.hash, key)).toEqual(done); // the same order, not another one
    expect((await migrate(input, seen.hash)).userErrors).toEqual([
      { code: 'INVALID_STATE', message: 'No licence holds this version.', field: 'fromVersionId' },
    ]);
    expect((await migrate({ ...input, when: 'PERIOD_END' }, seen.hash, key)).userErrors).toMatchObject([
      { code: 'IDEMPOTENCY_MISMATCH' },
    ]);
    await carryOnMigrations(await world.world.system('platform', 'licensing'));
    expect((await ask(INGRID, LICENSE)).license.version).toBe(before.version + 1);
  }, 60_000);

  test('all that hold a version are moved: at once what only gains, closed ones are left', async () => {
    const to = await publish('6000');
    const seen = await preview(order(to));
    expect(seen).toMatchObject({ licenses: 4, moved: 3, left: 1, directions: [{ direction: 'UPGRADE', licenses: 4 }] });
    const { migration } = await migrate(order(to), seen.hash);
    expect(migration.progress).toEqual({ licenses: 4, moved: 3, scheduled: 0, left: 1 });
    expect(await versionsHeld()).toEqual([
      { tenant: '0a02', number: 2 },
      { tenant: '0a03', number: 2 },
      { tenant: '0a04', number: 1 }, // suspended
      { tenant: '0a07', number: 2 },
    ]);
    expect((await ask(FEN, LICENSE)).license).toMatchObject({ state: 'TRIAL', planVersion: { number: 2 } });
    expect((await ask(ROSA, LICENSE)).license.planVersion.number).toBe(1);
  }, 60_000);

  test.each([
    ['a smaller version', '4000', 'DOWNGRADE'],
    ['another price alone', '5000', null],
  ])(
    '%s takes effect at the end of a period, at least thirty days after it was told',
    async (_what, subscribers, direction) => {
      const to = await publish(subscribers);
      const seen = await preview(order(to));
      expect(seen).toMatchObject({ moved: 0, scheduled: 3, left: 1, directions: [{ direction, licenses: 4 }] });
      expect((await migrate(order(to), seen.hash)).migration.progress).toEqual({
        licenses: 4,
        moved: 0,
        scheduled: 3,
        left: 1,
      });
      const { license } = await ask(FEN, LICENSE);
      expect(license).toMatchObject({
        planVersion: { number: 1 },
        scheduledChange: { status: 'SCHEDULED', cause: 'SCHEDULED' },
      });
      const effectiveAt = new Date(license.scheduledChange.effectiveAt);
      expect(effectiveAt.getTime() - Date.now()).toBeGreaterThanOrEqual(30 * DAY_MS - 3_600_000 - 60_000);
      const [told] = await world.sql(
        "select payload from kernel.event where name = 'licensing.change.scheduled' and tenant_id = $1",
        [tenantId('fable')],
      );
      expect(told.payload).toMatchObject({ to: 'professional@2', effectiveAt: effectiveAt.toISOString(), lines: [] });

      const cancel = `mutation { cancelScheduledChange(input: { changeId: "${license.scheduledChange.id}" }) { userErrors { code message } } }`;
      expect((await ask(FEN, cancel)).cancelScheduledChange.userErrors).toEqual([
        { code: 'INVALID_STATE', message: 'The platform has ordered this change.' },
      ]);
      const again = await preview(order(to));
      expect(again).toMatchObject({ licenses: 4, moved: 0, scheduled: 0, left: 4 }); // each waits for its own already
      expect((await migrate(order(to), again.hash)).migration.progress).toMatchObject({ scheduled: 0, left: 4 });

      const ahead = Math.ceil((effectiveAt.getTime() - Date.now()) / 1_000);
      const moveClock = (seconds: number) =>
        world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
          seconds,
          tenantId('fable'),
        ]);
      const [{ id }] = await world.sql('select id from licensing.license where tenant_id = $1', [tenantId('fable')]);
      const platform = await world.world.system('platform', 'licensing');
      await moveClock(ahead - 60);
      await advanceLicenses(platform);
      expect((await ask(FEN, LICENSE)).license.planVersion.number).toBe(1);
      await moveClock(ahead + 60);
      await advanceLicenses(platform);
      const moved = await ask(FEN, LICENSE);
      expect(moved.license).toMatchObject({ planVersion: { number: 2 }, scheduledChange: null });
      const causes = await world.sql(
        "select cause from licensing.license_change where license_id = $1 and cause = 'PLAN_MIGRATED'",
        [id],
      );
      expect(causes).toHaveLength(1);
    },
    60_000,
  );

  test('an order of more than a hundred licences goes on in pages, whoever carries it on, and does nothing twice', async () => {
    await addLicensed(110);
    const to = await publish('6000');
    const seen = await preview(order(to));
    expect(seen).toMatchObject({ licenses: 114, moved: 113, left: 1 });
    const { migration } = await migrate(order(to), seen.hash);
    expect(migration.progress.licenses).toBe(114);
    // Two more processes carry on at the same time what its own job has begun.
    const [one, other] = [
      await world.world.system('platform', 'licensing'),
      await world.world.system('platform', 'licensing'),
    ];
    await Promise.all([carryOnMigrations(one), carryOnMigrations(other)]);
    await carryOnMigrations(one);
    const progress = `{ planMigration(id: "${migration.id}") { finishedAt progress { moved left } } }`;
    expect((await ask(NGOZI, progress)).planMigration).toEqual({
      ...{ finishedAt: expect.any(String), progress: { moved: 113, left: 1 } },
    });
    const [{ versions, most }] = await world.sql(
      "select count(*)::int as versions, max(n)::int as most from (select count(*) as n from licensing.license_change where cause = 'PLAN_MIGRATED' group by license_id) c",
    );
    expect([versions, most]).toEqual([113, 1]);
  }, 120_000);

  test('what was seen is what is ordered: a licence that went elsewhere meanwhile, or another hash, is a stale preview', async () => {
    const to = await publish('6000');
    const seen = await preview(order(to));
    const edited = `${seen.hash.slice(0, -1)}${seen.hash.endsWith('0') ? '1' : '0'}`;
    const stale = [
      { code: 'STALE_PREVIEW', message: 'The price has changed. Please look at it again.', field: 'previewHash' },
    ];
    expect((await migrate(order(to), edited)).userErrors).toEqual(stale);
    expect((await migrate(order(to, { when: 'PERIOD_END' }), seen.hash)).userErrors).toEqual(stale);
    const upgrade =
      'mutation { upgradeLicense(input: { newPlan: "enterprise", idempotencyKey: "k" }) { userErrors { code } } }';
    expect((await ask(INGRID, upgrade)).upgradeLicense.userErrors).toEqual([]);
    expect((await migrate(order(to), seen.hash)).userErrors).toEqual(stale);
    expect(await world.sql('select * from licensing.plan_migration')).toEqual([]);
  }, 60_000);

  test('what cannot be moved is refused with the field', async () => {
    const to = await publish('6000');
    for (const [input, refusal, field] of [
      [order(V1), 'INVALID', 'toVersionId'],
      [order('01990000-0000-7000-8000-00000000dead'), 'NOT_FOUND', 'toVersionId'],
      [order(to, { fromVersionId: 'x' }), 'NOT_FOUND', 'fromVersionId'],
      [{ ...order(V1), fromVersionId: to }, 'INVALID_STATE', 'toVersionId'],
      [order(to, { fromVersionId: '01990000-0000-7000-8000-000000000200' }), 'INVALID_STATE', 'fromVersionId'],
      [order(to, { tenantIds: [] }), 'INVALID', 'tenantIds'],
      [order(to, { tenantIds: ['fable'] }), 'INVALID', 'tenantIds'],
    ] as const) {
      const { errors } = await world.ask(NGOZI, PREVIEW, { input });
      expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', refusal, field });
      const done = await migrate(input, 'x'.repeat(64));
      expect(done.userErrors).toMatchObject([{ code: refusal, field }]);
    }
    for (const query of [PREVIEW, MIGRATE]) {
      const input = { ...order(to), ...(query === MIGRATE ? { previewHash: 'x', idempotencyKey: 'k' } : {}) };
      expect((await world.ask(INGRID, query, { input })).errors[0].extensions.code).toBe('FORBIDDEN');
    }
  }, 60_000);

  /** Gives a first licence of professional's version 1 to so many tenants. */
  async function addLicensed(count: number): Promise<void> {
    await world.sql(
      `insert into kernel.tenant_profile (tenant_id, slug, kind, state, zone, currency, country)
       select uuidv7(), 'isp-' || i, 'PRODUCTION', 'ACTIVE', 'Europe/Warsaw', 'PLN', 'PL' from generate_series(1, ${count - 1}) i`,
    );
    for (let remaining = 1; remaining > 0; )
      ({ remaining } = (
        await ask(NGOZI, 'mutation { backfillLicenses(input: { first: 500 }) { remaining } }')
      ).backfillLicenses);
  }
});
