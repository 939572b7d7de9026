import 'reflect-metadata';
import { isSellable, offersOf } from '../../../subgraphs/licensing/catalogue/offer.rules.ts';
import { ENTERPRISE, PROFESSIONAL, STARTER } from '../facts.ts';

const plans = [
  { ...ENTERPRISE, priceMinor: 99_900n },
  { ...STARTER, priceMinor: 9_900n },
  { ...PROFESSIONAL, priceMinor: 29_900n },
];
const addOns = [
  { code: 'white_label', priceMinor: 9_900n, features: ['white_label' as const], limits: [] },
  { code: 'custom_integrations', priceMinor: 5_900n, features: ['webhooks' as const], limits: [] },
  { code: 'ai_insights', priceMinor: 19_900n, features: ['analytics.insights' as const], limits: [] },
];
const offers = offersOf(plans, addOns);

describe('A refusal names the way out', () => {
  test.each([
    ['crm', { requiredPlan: 'professional', addOns: [] }],
    ['fieldops', { requiredPlan: 'enterprise', addOns: [] }],
    ['tickets', { requiredPlan: 'starter', addOns: [] }],
    ['white_label', { requiredPlan: 'enterprise', addOns: ['white_label'] }],
    ['webhooks', { requiredPlan: 'professional', addOns: ['custom_integrations'] }],
  ] as const)('%s is opened by %p', (feature, offer) => {
    expect(offers.features[feature]).toEqual(offer);
  });

  test('what is only announced is offered nowhere', () => {
    expect(offers.features['analytics.insights']).toBeUndefined();
    expect(isSellable({ features: ['analytics.insights'] })).toBe(false);
  });

  test('a quota that is used up names the next plan that allows more', () => {
    expect(offers.quotas.staff_users).toEqual({
      starter: 'professional',
      professional: 'enterprise',
      enterprise: null,
    });
    expect(offers.quotas.storage_gb).toEqual({ starter: 'professional', professional: 'enterprise', enterprise: null });
  });
});
