import fc from 'fast-check';
import { Refusal } from '../../../schema/errors.ts';
import { FEATURE_KEYS, parentOf } from '../../../schema/features.ts';
import { type AddOnTerms, checkAddOnTerms } from '../../../subgraphs/licensing/catalogue/add-on.rules.ts';
import { planLimitsOf } from '../../../subgraphs/licensing/catalogue/plan.rules.ts';
import { checkPlanTerms, type PlanTerms } from '../../../subgraphs/licensing/catalogue/plan-version.rules.ts';
import { advanceVersion } from '../../../subgraphs/licensing/catalogue/version.rules.ts';

const usd = (amountMinor: bigint) => ({ amountMinor, currency: 'USD' });
const SEATS = { key: 'staff_users', limit: 10n, isUnlimited: false, policy: 'HARD', softMarginPercent: 0 } as const;
const PLAN: PlanTerms = {
  ...{ price: usd(29_900n), annualDiscountPercent: '20', trialDays: 30, graceDays: 7, restrictedDays: 14 },
  ...{ features: ['crm', 'analytics', 'analytics.advanced'], limits: [SEATS] },
};
const ADD_ON: AddOnTerms = {
  ...{ code: 'seats_10', name: '10 more seats', price: usd(4_900n), features: [], requires: [], maxQuantity: 20 },
  limits: [{ key: 'staff_users', mode: 'ADD', amount: 10n, isUnlimited: false }],
};

const refusalOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return [error.code, error.field, error.message];
    throw error;
  }
  return null;
};

describe('What the catalogue may say', () => {
  test.each<[string, Partial<PlanTerms>, string, string]>([
    ['a price of 0', { price: usd(0n) }, 'price', 'A price is above 0.'],
    ['a price below 0', { price: usd(-1n) }, 'price', 'A price is above 0.'],
    ['an absurd price', { price: usd(10n ** 17n) }, 'price', 'A price is at most 100000000000.'],
    [
      'another currency',
      { price: { amountMinor: 1n, currency: 'EUR' } },
      'price',
      'Prices of the catalogue are in USD.',
    ],
    [
      '101 percent',
      { annualDiscountPercent: '100.01' },
      'annualDiscountPercent',
      'A discount is 0 to 100 with at most 2 decimal places.',
    ],
    [
      'half a cent of a percent',
      { annualDiscountPercent: '1.005' },
      'annualDiscountPercent',
      'A discount is 0 to 100 with at most 2 decimal places.',
    ],
    [
      'a discount below 0',
      { annualDiscountPercent: '-1' },
      'annualDiscountPercent',
      'A discount is 0 to 100 with at most 2 decimal places.',
    ],
    ['91 days of trial', { trialDays: 91 }, 'trialDays', 'This is 0 to 90.'],
    ['31 days of grace', { graceDays: 31 }, 'graceDays', 'This is 0 to 30.'],
    ['-1 days of reading', { restrictedDays: -1 }, 'restrictedDays', 'This is 0 to 60.'],
    ['61 days of reading', { restrictedDays: 61 }, 'restrictedDays', 'This is 0 to 60.'],
    ['a feature twice', { features: ['crm', 'crm'] }, 'features', 'crm is named twice.'],
    [
      'a part without its parent',
      { features: ['analytics.advanced'] },
      'features',
      'analytics.advanced needs the analytics feature.',
    ],
    [
      'a feature that is only announced',
      { features: ['crm', 'crm.integrations'] },
      'features',
      'crm.integrations is not available.',
    ],
    ['a quota twice', { limits: [SEATS, SEATS] }, 'limits', 'staff_users is named twice.'],
    [
      'neither limit nor none',
      { limits: [{ ...SEATS, limit: null }] },
      'limits',
      'Say how much, or that it is unlimited, and not both.',
    ],
    [
      'both limit and none',
      { limits: [{ ...SEATS, isUnlimited: true }] },
      'limits',
      'Say how much, or that it is unlimited, and not both.',
    ],
    [
      'a limit beyond counting',
      { limits: [{ ...SEATS, limit: 9_223_372_036_854_775_807n }] },
      'limits',
      'This is 0 to 1000000000000000000.',
    ],
    ['a margin of 51 percent', { limits: [{ ...SEATS, softMarginPercent: 51 }] }, 'limits', 'This is 0 to 50.'],
    [
      'overage for nothing',
      { limits: [{ ...SEATS, policy: 'OVERAGE' }] },
      'limits',
      'What is used of staff_users over its limit needs a rate.',
    ],
    [
      'a rate of 7 places',
      { limits: [{ ...SEATS, unitRate: '0.0000001' }] },
      'limits',
      'A rate is a number from 0 with at most 6 decimal places.',
    ],
    [
      'a rate below 0',
      { limits: [{ ...SEATS, unitRate: '-1' }] },
      'limits',
      'A rate is a number from 0 with at most 6 decimal places.',
    ],
    [
      'a cap on what is unlimited',
      { limits: [{ ...SEATS, limit: null, isUnlimited: true, overageCap: 9n }] },
      'limits',
      'What is unlimited, as staff_users, has no cap over its limit.',
    ],
  ])('a plan version with %s is refused, and the field is named', (_what, terms, field, message) => {
    expect(refusalOf(() => checkPlanTerms({ ...PLAN, ...terms }))).toEqual(['INVALID', field, message]);
  });

  test.each<[string, Partial<AddOnTerms>, string, string]>([
    [
      'a code with a hyphen',
      { code: 'seats-10' },
      'code',
      'A code has 2 to 32 letters a to z, digits and underscores.',
    ],
    [
      'a code that begins with a digit',
      { code: '10seats' },
      'code',
      'A code has 2 to 32 letters a to z, digits and underscores.',
    ],
    ['no name', { name: '  ' }, 'name', 'A name has 1 to 60 characters.'],
    ['a name of 61', { name: 'x'.repeat(61) }, 'name', 'A name has 1 to 60 characters.'],
    ['a price below 0', { price: usd(-1n) }, 'price', 'A price is 0 or more.'],
    [
      'a fee in euro',
      { setupFee: { amountMinor: 1n, currency: 'EUR' } },
      'setupFee',
      'Prices of the catalogue are in USD.',
    ],
    [
      'a part whose parent nobody holds',
      { features: ['analytics.advanced'] },
      'features',
      'analytics.advanced needs the analytics feature.',
    ],
    [
      'a requirement that cannot be had',
      { requires: ['crm.integrations'] },
      'requires',
      'crm.integrations is not available.',
    ],
    ['a requirement twice', { requires: ['crm', 'crm'] }, 'requires', 'crm is named twice.'],
    [
      'nothing added',
      { limits: [{ key: 'devices', mode: 'ADD', amount: 0n, isUnlimited: false }] },
      'limits',
      'This is 1 to 1000000000000000.',
    ],
    ['0 pieces', { maxQuantity: 0 }, 'maxQuantity', 'This is 1 to 1000.'],
    ['1,001 pieces', { maxQuantity: 1_001 }, 'maxQuantity', 'This is 1 to 1000.'],
    [
      'a meter of 7 places',
      { meter: { quota: 'api_calls', unitRate: '0.0000001' } },
      'meter',
      'A rate is a number from 0 with at most 6 decimal places.',
    ],
  ])('an add-on with %s is refused, and the field is named', (_what, terms, field, message) => {
    expect(refusalOf(() => checkAddOnTerms({ ...ADD_ON, ...terms }))).toEqual(['INVALID', field, message]);
  });

  test('an add-on may stand on the shelf before its feature is there, with what its buyers must hold', () => {
    const soon = { ...ADD_ON, features: ['analytics.insights' as const], requires: ['analytics.advanced' as const] };
    expect(checkAddOnTerms(soon).content).toMatchObject({ features: soon.features, requires: soon.requires });
  });

  test('what is accepted is kept exactly, to the last unit', () => {
    const amount = fc.option(fc.bigInt(0n, 10n ** 18n));
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 0, max: 50 }),
        fc.constantFrom('0.001', '12', undefined),
        (limit, margin, rate) => {
          const terms = { ...SEATS, limit, isUnlimited: limit === null, softMarginPercent: margin, unitRate: rate };
          const [kept] = planLimitsOf(checkPlanTerms({ ...PLAN, limits: [terms] }).limits);
          expect(kept).toEqual({
            ...{ key: 'staff_users', limit, policy: 'HARD', softMarginPercent: margin },
            ...{ unitRate: rate ?? null, overageCap: null },
          });
        },
      ),
    );
  });

  test('whatever is accepted holds the parent of each of its parts', () => {
    fc.assert(
      fc.property(fc.subarray(FEATURE_KEYS), (features) => {
        if (refusalOf(() => checkPlanTerms({ ...PLAN, features }))) return;
        for (const feature of features) {
          const parent = parentOf(feature);
          if (parent) expect(features).toContain(parent);
        }
      }),
    );
  });

  const STATUSES = ['DRAFT', 'PUBLISHED', 'RETIRED'] as const;
  test('a version goes from draft to published to retired, and no other way', () => {
    const moves = STATUSES.flatMap((from) =>
      STATUSES.flatMap((to) => (refusalOf(() => advanceVersion(from, to)) ? [] : [`${from} ${to}`])),
    );
    expect(moves).toEqual(['DRAFT PUBLISHED', 'PUBLISHED RETIRED']);
  });
});
