import 'reflect-metadata';
import fc from 'fast-check';
import { monthlyPeriod } from '../../../schema/calendar.ts';
import { FEATURE_KEYS, QUOTA_KEYS } from '../../../schema/features.ts';
import { compareLimits, periodPrice, shareOf } from '../../../subgraphs/licensing/catalogue/plan.rules.ts';
import {
  checkIsUpgrade,
  checkMayUpgrade,
  directionOf,
  intervalAfter,
  netOf,
  upgradeLines,
} from '../../../subgraphs/licensing/changes/upgrade.rules.ts';
import { entitlementAt } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { addOn, anyFacts, anyPlan, ENTERPRISE, instant, licensed, override, PROFESSIONAL, STARTER } from '../facts.ts';

const MARCH = new Date('2027-03-01T00:00:00Z');
const starter = { code: 'starter', number: 1, priceMinor: 9_900n, currency: 'USD', annualDiscountPercent: '15.00' };
const professional = {
  code: 'professional',
  number: 1,
  priceMinor: 29_900n,
  currency: 'USD',
  annualDiscountPercent: '20.00',
};
const enterprise = {
  code: 'enterprise',
  number: 1,
  priceMinor: 99_900n,
  currency: 'USD',
  annualDiscountPercent: '25.00',
};

describe('The direction of a change is what the tenant gains and loses', () => {
  const from = (plan: typeof STARTER, over = {}) => licensed({ plan, ...over });
  const whiteLabel = [addOn('white_label', { features: ['white_label'] })];

  test.each([
    ['starter to professional', from(STARTER), from(PROFESSIONAL), 'UPGRADE'],
    ['professional to enterprise', from(PROFESSIONAL), from(ENTERPRISE), 'UPGRADE'],
    ['professional to starter', from(PROFESSIONAL), from(STARTER), 'DOWNGRADE'],
    [
      'starter with white label to professional without it',
      from(STARTER, { addOns: whiteLabel }),
      from(PROFESSIONAL),
      'MIXED',
    ],
    ['a plan to itself', from(STARTER), from(STARTER), null],
  ])('%s', (_, before, after, direction) => {
    expect(directionOf(before, after, MARCH)).toBe(direction);
  });

  test('an override on top hides neither gain nor loss', () => {
    const overrides = [override('crm', { isEnabled: false }), override('subscribers', { isUnlimited: true })];
    expect(directionOf(from(STARTER, { overrides }), from(PROFESSIONAL, { overrides }), MARCH)).toBe('UPGRADE');
  });

  test('there and back are opposite', () => {
    const opposite = { UPGRADE: 'DOWNGRADE', DOWNGRADE: 'UPGRADE', MIXED: 'MIXED' } as const;
    fc.assert(
      fc.property(anyFacts, anyFacts, instant, (a, b, now) => {
        const there = directionOf(a, b, now);
        expect(directionOf(b, a, now)).toBe(there && opposite[there]);
      }),
    );
  });

  test('an upgrade never takes a feature or lowers a limit, whatever stands on top', () => {
    fc.assert(
      fc.property(anyFacts, anyPlan, instant, (held, plan, now) => {
        const after = { ...held, plan };
        fc.pre(directionOf(held, after, now) === 'UPGRADE');
        for (const key of FEATURE_KEYS)
          if (entitlementAt(held, key, now).access !== 'NONE')
            expect(entitlementAt(after, key, now).access).not.toBe('NONE');
        for (const key of QUOTA_KEYS)
          expect(compareLimits(limitAt(after, key, now).limit, limitAt(held, key, now).limit)).toBeGreaterThanOrEqual(
            0,
          );
      }),
      { numRuns: 300 },
    );
  });
});

describe('An upgrade costs the difference for the rest of the period', () => {
  const period = monthlyPeriod(new Date('2027-03-17T16:15:30Z'), 1, 'America/Denver');
  const lines = (now: Date) => upgradeLines({ from: starter, to: professional, interval: 'MONTH', period, now });

  test('March 2027 in Denver has 2,674,800 seconds, for summer time takes one hour', () => {
    expect([period.start.toISOString(), period.end.toISOString()]).toEqual([
      '2027-03-01T07:00:00.000Z',
      '2027-04-01T06:00:00.000Z',
    ]);
    expect((period.end.getTime() - period.start.getTime()) / 1000).toBe(2_674_800);
  });

  test('starter to professional at 10:15:30 on the 17th: 140.74 less 46.60 is 94.14', () => {
    const now = new Date('2027-03-17T16:15:30Z');
    expect(lines(now).map(({ key, amountMinor, currency }) => [key, amountMinor, currency])).toEqual([
      ['charge:plan:professional@1', 14_074n, 'USD'],
      ['credit:plan:starter@1', -4_660n, 'USD'],
    ]);
    expect(netOf(lines(now))).toBe(9_414n);
    expect(lines(now).map(({ periodStart, periodEnd }) => [periodStart, periodEnd])).toEqual([
      [now, period.end],
      [now, period.end],
    ]);
  });

  test('at the first instant of a period it costs the whole difference, at the last nothing', () => {
    expect(netOf(lines(period.start))).toBe(20_000n);
    expect(netOf(lines(period.end))).toBe(0n);
  });

  test.each([
    [starter, 100_980n],
    [professional, 287_040n],
    [enterprise, 899_100n],
  ])('a year is twelve months less the discount: %p', (plan, amountMinor) => {
    expect(shareOf(periodPrice(plan, 'YEAR'), 1n, 1n)).toBe(amountMinor);
  });

  test('the parts of a period add up to it, but for the cent each line is rounded by', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1_000_000n }),
        fc.bigInt({ min: 0n, max: 2_674_800n }),
        (priceMinor, part) => {
          const price = periodPrice({ ...starter, priceMinor }, 'MONTH');
          const sum = shareOf(price, part, 2_674_800n) + shareOf(price, 2_674_800n - part, 2_674_800n);
          expect(sum - priceMinor >= -1n && sum - priceMinor <= 1n).toBe(true);
        },
      ),
    );
  });
});

describe('What is not an upgrade is refused with a sentence', () => {
  test.each([
    ['professional', 'starter', 'DOWNGRADE', 'starter is not an upgrade from professional.'],
    ['starter', 'other', 'MIXED', 'other is not an upgrade from starter.'],
    ['starter', 'starter', null, 'The licence already has this plan.'],
  ] as const)('%s to %s', (from, to, direction, sentence) => {
    expect(() => checkIsUpgrade(from, to, direction)).toThrow(sentence);
  });

  test.each([
    'GRACE',
    'RESTRICTED',
    'EXPIRED',
    'SUSPENDED',
    'REVOKED',
  ] as const)('a licence that is %s is paid first', (state) => {
    expect(() => checkMayUpgrade(state)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  test('a trial may choose its interval, a paid period keeps its own', () => {
    expect(intervalAfter('TRIAL', 'MONTH', 'YEAR')).toBe('YEAR');
    expect(intervalAfter('ACTIVE', 'MONTH', null)).toBe('MONTH');
    expect(intervalAfter('ACTIVE', 'MONTH', 'MONTH')).toBe('MONTH');
    expect(() => intervalAfter('ACTIVE', 'MONTH', 'YEAR')).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE', field: 'interval' }),
    );
  });
});
