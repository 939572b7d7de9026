import 'reflect-metadata';
import fc from 'fast-check';
import { monthlyPeriod } from '../../../schema/calendar.ts';
import { FEATURE_KEYS, QUOTA_KEYS } from '../../../schema/features.ts';
import { compareLimits } from '../../../subgraphs/licensing/catalogue/plan.rules.ts';
import { netOf, periodPrice, shareOf } from '../../../subgraphs/licensing/catalogue/price.rules.ts';
import {
  checkIsUpgrade,
  checkPricedAt,
  decideChange,
  directionOf,
  type HeldState,
  type PreviewTerms,
  previewHash,
  type SoldState,
} from '../../../subgraphs/licensing/changes/plan-change.rules.ts';
import {
  changeLines,
  periodLines,
  type Sold,
  type SoldAddOn,
  setupLines,
} from '../../../subgraphs/licensing/changes/price-change.rules.ts';
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
    [
      'a service that brings no feature',
      from(STARTER),
      from(STARTER, { addOns: [addOn('priority_support')] }),
      'UPGRADE',
    ],
    [
      'one piece less of it',
      from(STARTER, { addOns: [addOn('priority_support', { quantity: 2 })] }),
      from(STARTER, { addOns: [addOn('priority_support')] }),
      'DOWNGRADE',
    ],
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
  const sold = (plan: Sold['plan']): Sold => ({ plan, addOns: [] });
  const lines = (now: Date) =>
    changeLines({ from: sold(starter), to: sold(professional), interval: 'MONTH', period, now });

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
});

const storage: SoldAddOn = {
  ...{ code: 'storage_100', version: 1, quantity: 1, priceMinor: 500n, setupFeeMinor: 0n, currency: 'USD' },
};
const support: SoldAddOn = { ...storage, code: 'priority_support', priceMinor: 9_900n, setupFeeMinor: 5_000n };

describe('Add-ons are priced beside the plan', () => {
  const period = monthlyPeriod(new Date('2027-03-17T16:15:30Z'), 1, 'America/Denver');
  const from: Sold = { plan: starter, addOns: [storage] };
  const now = period.start;
  const keysOf = (to: Sold) =>
    changeLines({ from, to, interval: 'MONTH', period, now }).map((l) => [l.key, l.amountMinor]);

  test('what stays has no line; what is new is charged, what goes is credited, another quantity both', () => {
    expect(keysOf(from)).toEqual([]);
    expect(keysOf({ plan: starter, addOns: [storage, support] })).toEqual([
      ['charge:add_on:priority_support@1', 9_900n],
    ]);
    expect(keysOf({ plan: starter, addOns: [] })).toEqual([['credit:add_on:storage_100@1', -500n]]);
    expect(keysOf({ plan: starter, addOns: [{ ...storage, quantity: 3 }] })).toEqual([
      ['charge:add_on:storage_100@1', 1_500n],
      ['credit:add_on:storage_100@1', -500n],
    ]);
  });

  test('a setup fee is paid once, when it was not held before', () => {
    const to = { plan: starter, addOns: [storage, support] };
    expect(setupLines(from, to, period).map((l) => [l.key, l.amountMinor])).toEqual([
      ['setup:add_on:priority_support@1', 5_000n],
    ]);
    expect(setupLines(to, to, period)).toEqual([]);
  });

  test('a yearly licence pays twelve months of an add-on, and the discount is the plan’s alone', () => {
    const year = periodLines({ plan: professional, addOns: [storage] }, 'YEAR', period);
    expect(year.map((l) => [l.key, l.amountMinor])).toEqual([
      ['charge:add_on:storage_100@1', 6_000n],
      ['charge:plan:professional@1', 287_040n],
    ]);
  });
});

describe('When a change holds', () => {
  const zone = 'America/Denver';
  const now = new Date('2027-03-17T16:15:30Z');
  const state = (over = {}, plan = STARTER, price = starter, interval: 'MONTH' | 'YEAR' = 'MONTH'): SoldState => ({
    facts: licensed({ zone, paidUntil: new Date('2027-04-01T06:00:00Z'), plan, ...over }),
    ...{ sold: { plan: price, addOns: [] }, interval },
  });
  const held = (over = {}, known: Partial<HeldState> = {}, plan = STARTER, price = starter): HeldState => ({
    ...state(over, plan, price),
    billing: {
      ...{ interval: 'MONTH', anchorDay: 1, zone, validFrom: new Date('2027-01-01T07:00:00Z'), trialEndsAt: null },
      ...('trialEndsAt' in over ? { trialEndsAt: over.trialEndsAt as Date } : {}),
    },
    askedUntil: new Date('2027-04-01T06:00:00Z'),
    next: null,
    ...known,
  });
  const larger = state({}, PROFESSIONAL, professional);
  const end = '2027-04-01T06:00:00.000Z';
  const brief = ({ timing, direction, effectiveAt, isRestart, lines }: ReturnType<typeof decideChange>) => [
    ...[timing, direction, effectiveAt.toISOString(), isRestart, lines.map((l) => `${l.key} ${l.amountMinor}`)],
  ];

  test('a larger plan holds at once, for the difference of the rest', () => {
    expect(brief(decideChange(held(), larger, now))).toEqual([
      ...['NOW', 'UPGRADE', now.toISOString(), false],
      ['charge:plan:professional@1 14074', 'credit:plan:starter@1 -4660'],
    ]);
  });

  test('a smaller one from the end of the period, and costs nothing now', () => {
    const from = held({}, {}, PROFESSIONAL, professional);
    expect(brief(decideChange(from, state(), now))).toEqual(['PERIOD_END', 'DOWNGRADE', end, false, []]);
  });

  test('another interval from the end of the period, and with an upgrade as its second part', () => {
    expect(brief(decideChange(held(), state({}, STARTER, starter, 'YEAR'), now))).toEqual([
      ...['PERIOD_END', 'UPGRADE', end, false, []],
    ]);
    const both = decideChange(held(), { ...larger, interval: 'YEAR' }, now);
    expect(brief(both).slice(0, 2)).toEqual(['NOW', 'UPGRADE']);
    expect(both.later).toEqual({ effectiveAt: new Date(end), lines: [] });
  });

  test('when the next period is billed already, it is charged as changed', () => {
    const asked = { askedUntil: new Date('2027-05-01T06:00:00Z') };
    expect(brief(decideChange(held({}, asked), larger, now)).at(-1)).toEqual([
      'charge:plan:professional@1 14074',
      'credit:plan:starter@1 -4660',
      'charge:plan:professional@1:next 29900',
      'credit:plan:starter@1:next -9900',
    ]);
    const from = held({}, asked, PROFESSIONAL, professional);
    expect(brief(decideChange(from, state(), now)).at(-1)).toEqual([
      'charge:plan:starter@1:next 9900',
      'credit:plan:professional@1:next -29900',
    ]);
  });

  test('a trial changes at once and for nothing, whatever the direction', () => {
    const trial = { paidUntil: null, trialEndsAt: new Date('2027-03-25T12:00:00Z') };
    const from = held(trial, { askedUntil: trial.trialEndsAt }, PROFESSIONAL, professional);
    expect(brief(decideChange(from, state(trial), now))).toEqual(['NOW', 'DOWNGRADE', now.toISOString(), false, []]);
  });

  test('a trial that shall end waits for the payment of its first period', () => {
    const trial = { paidUntil: null, trialEndsAt: new Date('2027-03-25T12:00:00Z') };
    const from = held(trial, { askedUntil: trial.trialEndsAt });
    const decision = decideChange(from, state(trial), now, true);
    expect(brief(decision)).toEqual([
      ...['AFTER_PAYMENT', 'UPGRADE', now.toISOString(), true, ['charge:plan:starter@1 9900']],
    ]);
    expect(decision.lines[0]?.periodEnd.toISOString()).toBe('2027-04-17T06:00:00.000Z');
  });

  test('with money overdue an upgrade waits for its payment', () => {
    const paidUntil = new Date('2027-03-15T00:00:00Z');
    expect(brief(decideChange(held({ paidUntil }), larger, now)).slice(0, 4)).toEqual([
      ...['AFTER_PAYMENT', 'UPGRADE', now.toISOString(), false],
    ]);
  });

  test('a licence that has ended begins a new period with its payment, even with the plan it had', () => {
    const over = { paidUntil: new Date('2027-01-15T00:00:00Z') };
    expect(brief(decideChange(held(over), state(over), now))).toEqual([
      ...['AFTER_PAYMENT', 'UPGRADE', now.toISOString(), true, ['charge:plan:starter@1 9900']],
    ]);
  });

  test.each([
    ['what it is already', held(), state(), 'The licence already is what you ask for.'],
    [
      'a suspended licence',
      held({ openHolds: ['SUSPENDED'] }),
      larger,
      'A suspended licence does not change its plan.',
    ],
    ['one without end', held({ isEndless: true }), larger, 'This licence has no price and does not change.'],
  ])('%s is refused', (_, from, to, sentence) => {
    expect(() => decideChange(from, to, now)).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE', message: sentence }),
    );
  });

  test('what was paid for a period is what it would have cost as changed, but for a cent of each line', () => {
    const upTo = { askedUntil: new Date('2027-04-01T06:00:00Z') };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_674_799 }), (second) => {
        const at = new Date(Date.parse('2027-03-01T07:00:00Z') + second * 1_000);
        const up = decideChange(held({}, upTo), larger, at);
        const shareOfRest = Number(Date.parse(end) - at.getTime()) / 2_674_800_000;
        expect(Math.abs(Number(netOf(up.lines)) - 20_000 * shareOfRest)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('A preview is named by what it says', () => {
  const terms = {
    ...{
      tenantId: '01990000-0000-7000-8000-000000000a01',
      licenseVersion: 4,
      interval: 'MONTH' as const,
      endTrial: false,
    },
    ...{ plan: { code: 'professional', number: 1 }, addOns: [], keep: [] },
    pricedAt: new Date('2027-03-17T16:15:30Z'),
    lines: [
      ...[['charge:plan:professional@1', 14_074n] as const, ['credit:plan:starter@1', -4_660n] as const].map(
        ([key, amountMinor]) => ({
          ...{ key, amountMinor, currency: 'USD' },
          ...{ periodStart: new Date(0), periodEnd: new Date(1) },
        }),
      ),
    ],
  } satisfies PreviewTerms;

  test('by the hash of R13', () => {
    expect(previewHash(terms)).toBe('2c2f641b6204cfe6db53aa60f048e698d079adad9e1e3003f5148234fa7b674b');
  });

  test.each([
    ['another price', { lines: terms.lines.map((line) => ({ ...line, amountMinor: line.amountMinor + 1n })) }],
    ['another version', { licenseVersion: 5 }],
    ['another plan version', { plan: { code: 'professional', number: 2 } }],
    ['another instant', { pricedAt: new Date('2027-03-17T16:15:30.001Z') }],
    ['other add-ons', { addOns: [{ code: 'white_label', quantity: 1, version: 1 }] }],
    ['other things to keep', { keep: [{ key: 'staff_users', ids: ['a'] }] }],
    ['another tenant', { tenantId: '01990000-0000-7000-8000-000000000a02' }],
    ['an ended trial', { endTrial: true }],
  ] as const)('%s is another hash', (_, over) => {
    expect(previewHash({ ...terms, ...over } as PreviewTerms)).not.toBe(previewHash(terms));
  });

  test('a price holds 15 minutes, and none is from the future', () => {
    const now = new Date('2027-03-17T16:15:30Z');
    const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
    expect(() => checkPricedAt(ago(15), now)).not.toThrow();
    for (const minutes of [16, -1])
      expect(() => checkPricedAt(ago(minutes), now)).toThrow(expect.objectContaining({ code: 'STALE_PREVIEW' }));
  });
});
