import { type Asker, BRUNO, EDDA, INGRID, NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const EWA: Asker = { tenant: 'oldtown', roles: ['tenant_admin'] };
const SUBSCRIBER: Asker = {
  tenant: 'kestrel',
  roles: ['customer'],
  customerId: '01990000-0000-7000-8000-0000000b0001',
};

describe('A licence says what a tenant may use', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  test('the operator sees every licence of the example world in its state', async () => {
    const { data, errors } = await world.ask(
      { ...NGOZI },
      '{ tenantLicenses { nodes { tenant { id } state planVersion { number plan { code } } interval addOns { addOn { code } quantity } holds { kind level } grants { key source } } } }',
    );
    expect(errors).toBeUndefined();
    const seen = Object.fromEntries(
      data.tenantLicenses.nodes.map(
        (node: {
          tenant: { id: string };
          planVersion: { plan: { code: string } };
          state: string;
          interval: string;
          addOns: { addOn: { code: string } }[];
          holds: object[];
          grants: object[];
        }) => [
          node.tenant.id.slice(-4),
          [
            node.planVersion.plan.code,
            node.state,
            node.interval,
            node.addOns.map(({ addOn }) => addOn.code),
            node.holds,
            node.grants,
          ],
        ],
      ),
    );
    expect(seen).toEqual({
      '0001': ['internal', 'ACTIVE', 'MONTH', [], [], []],
      '0a01': ['starter', 'ACTIVE', 'MONTH', ['storage_100'], [], []],
      '0a02': ['professional', 'ACTIVE', 'MONTH', [], [], [{ key: 'white_label', source: 'SALES' }]],
      '0a03': ['professional', 'TRIAL', 'MONTH', [], [], []],
      '0a04': ['professional', 'SUSPENDED', 'MONTH', [], [{ kind: 'TENANT_SUSPENDED', level: 'SUSPENDED' }], []],
      '0a05': ['enterprise', 'ACTIVE', 'YEAR', ['priority_support'], [], []],
      '0a07': ['professional', 'TRIAL', 'MONTH', [], [], []],
    });
  });

  test('the list can be narrowed by plan and present state, and turned page by page', async () => {
    const { data } = await world.ask(
      NGOZI,
      '{ trials: tenantLicenses(filter: { plan: "professional", state: TRIAL }) { nodes { id } } none: tenantLicenses(filter: { state: GRACE }) { nodes { id } } }',
    );
    expect([data.trials.nodes.length, data.none.nodes.length]).toEqual([2, 0]);
    const seen: string[] = [];
    let after: string | null = null;
    for (let hasNextPage = true; hasNextPage; ) {
      const page: {
        data: { tenantLicenses: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } };
      } = await world.ask(
        NGOZI,
        'query($after: String) { tenantLicenses(first: 3, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      seen.push(...page.data.tenantLicenses.nodes.map(({ id }) => id));
      ({ hasNextPage, endCursor: after } = page.data.tenantLicenses.pageInfo);
    }
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...new Set(seen)].sort());
    expect((await world.ask(NGOZI, '{ tenantLicenses(first: 101) { nodes { id } } }')).errors[0].extensions.code).toBe(
      'BAD_USER_INPUT',
    );
    expect(
      (await world.ask(NGOZI, '{ tenantLicenses(after: "WyJ4Il0") { nodes { id } } }')).errors[0].extensions.code,
    ).toBe('BAD_USER_INPUT');
  });

  test('a subscriber of the ISP sees what is open, and nothing of what it costs', async () => {
    const { data, errors } = await world.ask(
      SUBSCRIBER,
      '{ license { version state enabledFeatures features(keys: ["crm", "tickets"]) { feature access reason } validUntil planVersion { number } holds { kind } } }',
    );
    expect(data.license).toMatchObject({
      state: 'ACTIVE',
      enabledFeatures: ['tickets'],
      validUntil: null,
      planVersion: null,
      holds: null,
    });
    expect(data.license.features).toEqual([
      { feature: 'crm', access: 'NONE', reason: 'NOT_IN_PLAN' },
      { feature: 'tickets', access: 'FULL', reason: null },
    ]);
    expect(
      errors.map((error: { path: string[]; extensions: { code: string } }) => [error.path[1], error.extensions.code]),
    ).toEqual([
      ['validUntil', 'FORBIDDEN'],
      ['planVersion', 'FORBIDDEN'],
      ['holds', 'FORBIDDEN'],
    ]);
  });

  test('limits are those of plan and add-ons, each with its source', async () => {
    const { data } = await world.ask(
      WREN,
      '{ quotaUsage { key kind isUnlimited limit policy source percent } one: quotaUsage(keys: ["tickets"]) { key limit periodStart periodEnd } }',
    );
    const limits = Object.fromEntries(
      data.quotaUsage.map((u: { key: string; limit: string; source: string }) => [u.key, [u.limit, u.source]]),
    );
    expect(limits).toMatchObject({
      subscribers: ['500', 'PLAN'],
      staff_users: ['3', 'PLAN'],
      webhook_endpoints: ['0', 'PLAN'],
      storage_gb: ['110000000000', 'ADD_ON'],
    });
    expect(data.one.map(({ key }: { key: string }) => key)).toEqual(['tickets']);
    const wrong = await world.ask(WREN, '{ quotaUsage(keys: ["tikets"]) { key } }');
    expect(wrong.errors[0]).toMatchObject({
      message: expect.stringContaining('Unknown quota: tikets.'),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('a tenant without a licence has none, and no quota', async () => {
    const { data, errors } = await world.ask(
      EWA,
      '{ license { id } licenseHistory { nodes { id } } quotaUsage(keys: ["staff_users"]) { limit isUnlimited source } upgradeOptions(feature: "crm") { plan { code } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      license: null,
      licenseHistory: { nodes: [] },
      quotaUsage: [{ limit: '0', isUnlimited: false, source: 'DEFAULT' }],
      upgradeOptions: [],
    });
    const refused = await world.ask(
      EWA,
      'mutation { upgradeLicense(input: { newPlan: "professional", idempotencyKey: "k" }) { userErrors { code message } } }',
    );
    expect(refused.data.upgradeLicense.userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'This tenant has no licence.' },
    ]);
  });

  test('what would open a feature is offered with what is due today', async () => {
    const { data } = await world.ask(
      WREN,
      '{ crm: upgradeOptions(feature: "crm") { plan { code } addOn { code } netDueToday { amountMinor } monthlyPrice { amountMinor currency } } analytics: upgradeOptions(feature: "analytics") { plan { code } addOn { code } } tickets: upgradeOptions(feature: "tickets") { plan { code } } soon: upgradeOptions(feature: "crm.integrations") { plan { code } } }',
    );
    expect(data.crm).toMatchObject([
      { plan: { code: 'professional' }, addOn: null, monthlyPrice: { amountMinor: '29900', currency: 'USD' } },
      { plan: { code: 'enterprise' }, addOn: null, monthlyPrice: { amountMinor: '99900' } },
    ]);
    expect(Number(data.crm[0].netDueToday.amountMinor)).toBeGreaterThan(0);
    expect(Number(data.crm[0].netDueToday.amountMinor)).toBeLessThanOrEqual(20_000);
    expect(data.analytics).toEqual([
      { plan: null, addOn: { code: 'analytics' } },
      { plan: { code: 'professional' }, addOn: null },
      { plan: { code: 'enterprise' }, addOn: null },
    ]);
    expect([data.tickets, data.soon]).toEqual([[], []]);
    const year = await world.ask(
      INGRID,
      '{ upgradeOptions(feature: "fieldops") { plan { code } monthlyPrice { amountMinor } } }',
    );
    expect(year.data.upgradeOptions).toEqual([
      { plan: { code: 'enterprise' }, monthlyPrice: { amountMinor: '99900' } },
    ]);
  });

  test('another tenant’s licence does not exist', async () => {
    const [{ id: foreign }] = await world.sql('select id from licensing.license where tenant_id = $1', [
      tenantId('atlas'),
    ]);
    const entities =
      'query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on License { state } ... on Tenant { license { id } } ... on LicenseChange { version } } }';
    const [{ id: change }] = await world.sql('select id from licensing.license_change where tenant_id = $1', [
      tenantId('atlas'),
    ]);
    const named = (typename: string, id: string) => ({ __typename: typename, id });
    const representations = [
      named('License', foreign),
      named('License', 'nonsense'),
      named('LicenseChange', change),
      named('LicenseChange', 'nonsense'),
    ];
    expect((await world.ask(INGRID, entities, { r: representations })).data._entities).toEqual([
      null,
      null,
      null,
      null,
    ]);
    const tenants = await world.ask(INGRID, entities, {
      r: [named('Tenant', tenantId('atlas')), named('Tenant', 'nonsense'), named('Tenant', tenantId('northwind'))],
    });
    expect(tenants.data._entities.map(({ license }: { license: object | null }) => license && 'seen')).toEqual([
      null,
      null,
      'seen',
    ]);
    expect((await world.ask(BRUNO, entities, { r: [named('License', foreign)] })).data._entities).toEqual([
      { __typename: 'License', state: 'ACTIVE' },
    ]);
    expect(
      (await world.ask(NGOZI, entities, { r: [named('License', foreign), named('Tenant', tenantId('atlas'))] })).data
        ._entities,
    ).toEqual([
      { __typename: 'License', state: 'ACTIVE' },
      { __typename: 'Tenant', license: { id: foreign } },
    ]);
  });

  test('the doors of the control plane are shut to an ISP, and an auditor changes nothing', async () => {
    for (const query of [
      `{ tenantLicense(tenantId: "${tenantId('atlas')}") { id } }`,
      '{ tenantLicenses { nodes { id } } }',
      `mutation { setOverride(input: { tenantId: "${tenantId('northwind')}", key: "crm", isEnabled: true, reason: "We would like it." }) { userErrors { code } } }`,
      `mutation { issueLicense(input: { tenantId: "${tenantId('oldtown')}", plan: "enterprise", interval: MONTH, idempotencyKey: "k" }) { userErrors { code } } }`,
    ])
      expect((await world.ask(INGRID, query)).errors[0].extensions.code).toBe('FORBIDDEN');
    const upgrade =
      'mutation { upgradeLicense(input: { newPlan: "enterprise", idempotencyKey: "edda" }) { userErrors { code } } }';
    expect((await world.ask(EDDA, upgrade)).errors[0].extensions.code).toBe('FORBIDDEN');
    expect(
      (await world.ask(EDDA, '{ license { validUntil } licenseHistory { nodes { version } } }')).errors,
    ).toBeUndefined();
    expect((await world.askAs('ANONYMOUS', '{ license { id } }')).errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  test('a list of licences is read in a fixed number of statements', async () => {
    const count = async (first: number) => {
      let statements = 0;
      const { orm } = world.world.subgraph('licensing').machinery.platformDb as never as {
        orm: { config: { getLogger(): { logQuery(): void }; set(key: string, value: unknown): void } };
      };
      const logger = orm.config.getLogger();
      const logQuery = logger.logQuery;
      logger.logQuery = () => void statements++;
      orm.config.set('debug', true);
      await world.ask(
        NGOZI,
        '{ tenantLicenses(first: ' +
          first +
          ') { nodes { state enabledFeatures overrides { key } addOns { addOn { code } } limits { key used } planVersion { plan { code } } tenant { id } } } }',
      );
      logger.logQuery = logQuery;
      return statements;
    };
    const few = await count(2);
    expect(few).toBeGreaterThan(5);
    expect(few).toBeLessThanOrEqual(15); // four of them begin a transaction, four read the catalogue
    expect(await count(7)).toBe(few);
  });
});
