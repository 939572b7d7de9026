import { WREN } from '../../setup/world.ts';
import { ENTERPRISE, PROFESSIONAL, STARTER } from '../facts.ts';
import { type LicensingWorld, openLicensingWorld } from '../licensing-world.ts';

describe('The price list', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  test('anyone may read the plans on offer, cheapest first, and the internal one is not among them', async () => {
    const { data, errors } = await world.askAs(
      'ANONYMOUS',
      '{ plans { code isListed currentVersion { number status price { amountMinor currency } annualDiscountPercent trialDays graceDays restrictedDays } } }',
    );
    expect(errors).toBeUndefined();
    const version = { number: 1, status: 'PUBLISHED', graceDays: 7, restrictedDays: 14 };
    expect(data.plans).toEqual([
      {
        code: 'starter',
        isListed: true,
        currentVersion: {
          ...version,
          price: { amountMinor: '9900', currency: 'USD' },
          annualDiscountPercent: '15',
          trialDays: 14,
        },
      },
      {
        code: 'professional',
        isListed: true,
        currentVersion: {
          ...version,
          price: { amountMinor: '29900', currency: 'USD' },
          annualDiscountPercent: '20',
          trialDays: 30,
        },
      },
      {
        code: 'enterprise',
        isListed: true,
        currentVersion: {
          ...version,
          price: { amountMinor: '99900', currency: 'USD' },
          annualDiscountPercent: '25',
          trialDays: 30,
        },
      },
    ]);
    const one = await world.askAs(
      'ANONYMOUS',
      '{ known: plan(code: "starter") { name } unknown: plan(code: "gold") { name } internal: plan(code: "internal") { name } }',
    );
    expect(one.data).toEqual({ known: { name: 'Starter' }, unknown: null, internal: null });
  });

  test('each plan holds the features and limits of the published table', async () => {
    const { data } = await world.ask(
      WREN,
      '{ plans { code currentVersion { features limits { key limit policy unitRate } } } }',
    );
    const rateOf = (rate: string | null) => (rate === null ? null : String(Number(rate)));
    for (const [i, plan] of [STARTER, PROFESSIONAL, ENTERPRISE].entries()) {
      const { features, limits } = data.plans[i].currentVersion;
      expect(features.toSorted()).toEqual([...plan.features].sort());
      expect(limits).toEqual(
        plan.limits.map(({ key, limit, policy, unitRate }) => ({
          key,
          limit: limit?.toString() ?? null,
          policy,
          unitRate: rateOf(unitRate),
        })),
      );
    }
  });

  test('the marketplace stands on four shelves', async () => {
    const { data } = await world.askAs(
      'ANONYMOUS',
      '{ addOns { code ladder version price { amountMinor } setupFee { amountMinor } maxQuantity } shelf: addOns(ladder: ENTERPRISE) { code features requires limits { key mode amount } } }',
    );
    expect(data.addOns).toHaveLength(16);
    const priced = Object.fromEntries(
      data.addOns.map((a: { code: string; price: { amountMinor: string } }) => [
        a.code,
        Number(a.price.amountMinor) / 100,
      ]),
    );
    expect(priced).toEqual({
      ...{
        customer_basics: 0,
        simple_billing: 0,
        api_access: 29,
        subscribers_500: 39,
        staff_seats_5: 25,
        storage_100: 5,
      },
      ...{ billing_advanced: 49, crm_integrations: 39, analytics: 49, priority_support: 99, analytics_advanced: 69 },
      ...{ custom_integrations: 59, white_label: 99, ai_insights: 199, predictive_analytics: 199, unlimited_api: 249 },
    });
    expect(data.addOns.find((a: { code: string }) => a.code === 'priority_support').setupFee.amountMinor).toBe('5000');
    expect(data.addOns.find((a: { code: string }) => a.code === 'subscribers_500').maxQuantity).toBe(20);
    expect(data.shelf).toEqual([
      { code: 'ai_insights', features: ['analytics.insights'], requires: ['analytics.advanced'], limits: [] },
      {
        code: 'predictive_analytics',
        features: ['analytics.predictive'],
        requires: ['analytics.advanced'],
        limits: [],
      },
      {
        code: 'unlimited_api',
        features: [],
        requires: ['api_keys'],
        limits: [{ key: 'api_calls', mode: 'SET', amount: null }],
      },
    ]);
  });
});
