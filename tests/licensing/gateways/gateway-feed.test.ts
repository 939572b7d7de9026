import { stepAt } from '../../../subgraphs/_kernel/entitlement-course.ts';
import { refreshEntitlements } from '../../../subgraphs/licensing/licenses/entitlement.service.ts';
import { License } from '../../../subgraphs/licensing/licenses/license.entity.ts';
import { readHeld } from '../../../subgraphs/licensing/licenses/license-facts.service.ts';
import { entitlementsAt } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { NGOZI, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const VIEWS = 'query($ids: [ID!]!) { licenseViews(tenantIds: $ids) { tenantId licenseId version plan course limits } }';
const FEED = 'query($after: Int!) { licenseFeed(afterSeq: $after, first: 500) { head views { tenantId version } } }';
const CONFIRM = 'mutation($node: String!, $seq: Int!) { confirmLicenses(nodeId: $node, seq: $seq) }';
const OVERRIDE = `mutation($on: Boolean!) { setOverride(input: { tenantId: "${tenantId('kestrel')}", key: "crm", isEnabled: $on, reason: "To be seen at once." }) { propagation { nodes acknowledged waitedMs } userErrors { message } } }`;

describe('A gateway holds every licence and hears of every change', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const override = async (on: boolean) => (await world.ask(NGOZI, OVERRIDE, { on })).data.setOverride.propagation;
  const head = async () => (await world.askAs('GATEWAY', FEED, { after: 0 })).data.licenseFeed.head as number;

  test('it is told licences by tenant; a tenant without one, and what is no tenant, is left out', async () => {
    const { data, errors } = await world.askAs('GATEWAY', VIEWS, {
      ids: [tenantId('kestrel'), tenantId('oldtown'), 'nonsense'],
    });
    expect(errors).toBeUndefined();
    expect(data.licenseViews).toHaveLength(1);
    const [view] = data.licenseViews;
    expect(view).toMatchObject({ tenantId: tenantId('kestrel'), plan: 'starter', version: expect.any(Number) });
    expect(JSON.parse(view.limits)).toMatchObject({
      subscribers: { limit: '500', policy: 'HARD' },
      storage_gb: { limit: '110000000000', policy: 'HARD' },
    });
    const course = JSON.parse(view.course);
    expect(course.map(({ state }: { state: string }) => state)).toEqual(['ACTIVE', 'GRACE', 'RESTRICTED', 'EXPIRED']);
    expect(stepAt(course, new Date())).toMatchObject({
      state: 'ACTIVE',
      core: 'FULL',
      features: { tickets: { access: 'FULL' } },
    });
  });

  test('what it holds is what the licence answers, for every tenant', async () => {
    for (const slug of ['platform', 'kestrel', 'northwind', 'harbour', 'sable', 'atlas', 'fable'] as const) {
      const { data } = await world.askAs('GATEWAY', VIEWS, { ids: [tenantId(slug)] });
      await world.inTenant(slug, async (ctx) => {
        const em = await ctx.em();
        const [held] = await readHeld(em, await em.find(License, {}), ctx.machinery.config);
        const features = stepAt(JSON.parse(data.licenseViews[0].course), ctx.now())?.features ?? {};
        for (const { feature, access, reason } of entitlementsAt(held?.facts as never, ctx.now()))
          expect({ slug, feature, ...(features[feature] ?? { access: 'NONE', reason: 'NOT_IN_PLAN' }) }).toEqual({
            slug,
            feature,
            access,
            ...(reason ? { reason } : {}),
          });
      });
    }
  });

  test('the feed names each licence that changed since, once, as it is now', async () => {
    const from = await head();
    await override(true);
    await override(false);
    const { data } = await world.askAs('GATEWAY', FEED, { after: from });
    expect(data.licenseFeed.head).toBe(from + 2);
    expect(data.licenseFeed.views).toMatchObject([{ tenantId: tenantId('kestrel') }]);
    const { data: page } = await world.askAs(
      'GATEWAY',
      `{ licenseFeed(afterSeq: ${from}, first: 1) { head } none: licenseFeed(afterSeq: ${from + 2}) { head views { version } } }`,
    );
    expect(page).toEqual({ licenseFeed: { head: from + 1 }, none: { head: from + 2, views: [] } });
  });

  test('a change waits for the gateways that live, and says how many hold it', async () => {
    expect(await override(true)).toMatchObject({ nodes: 0, acknowledged: 0 });
    await world.askAs('GATEWAY', CONFIRM, { node: 'quick', seq: 1_000_000 });
    expect(await override(false)).toMatchObject({ nodes: 1, acknowledged: 1 });

    await world.askAs('GATEWAY', CONFIRM, { node: 'behind', seq: await head() });
    const waited = await override(true);
    expect(waited).toMatchObject({ nodes: 2, acknowledged: 1 });
    expect(waited.waitedMs).toBeGreaterThanOrEqual(750);
    expect(waited.waitedMs).toBeLessThan(1_500);

    await world.askAs('GATEWAY', CONFIRM, { node: 'behind', seq: await head() });
    const before = await head();
    const answer = override(false);
    setTimeout(() => void world.askAs('GATEWAY', CONFIRM, { node: 'behind', seq: before + 1 }), 150);
    const caught = await answer;
    expect(caught).toMatchObject({ nodes: 2, acknowledged: 2 });
    expect(caught.waitedMs).toBeLessThan(750);

    await world.sql("update kernel.gateway_node set confirmed_at = now() - interval '4 seconds'");
    expect(await override(true)).toMatchObject({ nodes: 0, acknowledged: 0 });
  });

  test('it learns what would open a shut door', async () => {
    const { data } = await world.askAs('GATEWAY', '{ offers }');
    const offers = JSON.parse(data.offers);
    expect(offers.features).toMatchObject({
      crm: { requiredPlan: 'professional', addOns: [] },
      fieldops: { requiredPlan: 'enterprise', addOns: [] },
      api_keys: { requiredPlan: 'professional', addOns: ['api_access'] },
      'analytics.advanced': { requiredPlan: 'enterprise', addOns: ['analytics_advanced'] },
    });
    expect(offers.quotas.staff_users).toEqual({
      starter: 'professional',
      professional: 'enterprise',
      enterprise: null,
    });
  });

  test('nobody else may ask', async () => {
    for (const query of [
      '{ offers }',
      '{ licenseFeed(afterSeq: 0) { head } }',
      '{ licenseViews(tenantIds: []) { version } }',
      'mutation { confirmLicenses(nodeId: "me", seq: 9) }',
    ])
      for (const who of [WREN, NGOZI])
        expect((await world.ask(who, query)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});

describe('A test process may put every tenant on a plan', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld({
      LICENSE_TIER: 'professional',
      FEATURE_OVERRIDE: 'white_label,-tickets,nonsense',
    });
  });
  afterAll(() => world?.close());

  test('the licence says so, and its version stays', async () => {
    const { data } = await world.ask(
      WREN,
      '{ license { enabledFeatures features(keys: ["crm", "tickets", "white_label"]) { feature access source } planVersion { plan { code } } } quotaUsage(keys: ["devices"]) { limit source } }',
    );
    expect(data.license.features).toEqual([
      { feature: 'crm', access: 'FULL', source: 'TEST_OVERRIDE' },
      { feature: 'tickets', access: 'NONE', source: 'TEST_OVERRIDE' },
      { feature: 'white_label', access: 'FULL', source: 'TEST_OVERRIDE' },
    ]);
    expect(data.quotaUsage).toEqual([{ limit: '250', source: 'TEST_OVERRIDE' }]);
    const [before] = await world.sql('select version from kernel.entitlement where tenant_id = $1', [
      tenantId('kestrel'),
    ]);
    await world.inTenant('kestrel', refreshEntitlements);
    await world.inTenant('oldtown', refreshEntitlements);
    await world.inTenant('atlas', refreshEntitlements);
    const [tickets] = await world.sql(
      `select "limit"::int, next from kernel.quota where key = 'tickets' and tenant_id = $1`,
      [tenantId('atlas')],
    );
    expect(tickets).toEqual({ limit: 1_000, next: null }); // less than enterprise has, and at once
    const [after] = await world.sql('select version, plan, course from kernel.entitlement where tenant_id = $1', [
      tenantId('kestrel'),
    ]);
    expect(after).toMatchObject({ version: before.version, plan: 'professional' });
    expect(stepAt(after.course, new Date())?.features).toMatchObject({
      crm: { access: 'FULL' },
      tickets: { access: 'NONE', reason: 'OVERRIDE_OFF' },
    });
  });
});
