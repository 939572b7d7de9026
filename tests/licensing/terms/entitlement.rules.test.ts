import fc from 'fast-check';
import { FEATURE_KEYS } from '../../../schema/features.ts';
import { stepAt } from '../../../subgraphs/_kernel/entitlement-course.ts';
import { aheadOf, courseOf, instantsOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import {
  entitlementAt,
  entitlementsAt,
  type LicenseFacts,
} from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { coreIn, stateAt } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { addOn, anyFacts, ENTERPRISE, grant, instant, licensed, override, PROFESSIONAL } from '../facts.ts';

const MARCH = new Date('2027-03-01T00:00:00Z');
const MAY = new Date('2027-05-01T00:00:00Z');
const says = (
  facts: LicenseFacts,
  feature: 'crm' | 'analytics' | 'analytics.advanced' | 'white_label',
  now = MARCH,
) => {
  const { access, source, reason } = entitlementAt(facts, feature, now);
  return [access, source, reason];
};

describe('A feature is decided by override, grant, add-on and plan, in this order', () => {
  const grants = [grant('crm', { expiresAt: MAY })];

  test('a starter has no crm, and is told that its plan lacks it', () => {
    expect(says(licensed(), 'crm')).toEqual(['NONE', 'DEFAULT', 'NOT_IN_PLAN']);
  });

  test('a grant opens it until the instant before its end', () => {
    expect(says(licensed({ grants }), 'crm', new Date(MAY.getTime() - 1))).toEqual(['FULL', 'GRANT', null]);
    expect(says(licensed({ grants }), 'crm', MAY)).toEqual(['NONE', 'DEFAULT', 'GRANT_ENDED']);
  });

  test('an override that says no beats a grant that is alive, and when it ends the grant is back', () => {
    const off = override('crm', { isEnabled: false, expiresAt: new Date('2027-04-01T00:00:00Z') });
    expect(says(licensed({ grants, overrides: [off] }), 'crm')).toEqual(['NONE', 'OVERRIDE', 'OVERRIDE_OFF']);
    expect(says(licensed({ grants, overrides: [off] }), 'crm', new Date('2027-04-01T00:00:00Z'))).toEqual([
      'FULL',
      'GRANT',
      null,
    ]);
  });

  test.each([
    [
      'an override opens what no plan holds',
      licensed({ overrides: [override('crm', { isEnabled: true })] }),
      ['FULL', 'OVERRIDE', null],
    ],
    [
      'an override of something else inherits',
      licensed({ overrides: [override('crm')], plan: PROFESSIONAL }),
      ['FULL', 'PLAN', null],
    ],
    [
      'a feature trial is named as such',
      licensed({ grants: [grant('crm', { source: 'TRIAL', expiresAt: MAY })] }),
      ['FULL', 'TRIAL', null],
    ],
    [
      'an add-on opens it',
      licensed({ addOns: [addOn('crm_for_all', { features: ['crm'] })] }),
      ['FULL', 'ADD_ON', null],
    ],
    [
      'an add-on that has ended does not',
      licensed({ addOns: [addOn('crm_for_all', { features: ['crm'], endsAt: MARCH })] }),
      ['NONE', 'DEFAULT', 'NOT_IN_PLAN'],
    ],
    ['the plan opens it', licensed({ plan: PROFESSIONAL }), ['FULL', 'PLAN', null]],
  ])('%s', (_, facts, answer) => {
    expect(says(facts, 'crm')).toEqual(answer);
  });

  test('a feature trial that is over says so', () => {
    expect(says(licensed({ grants: [grant('crm', { source: 'TRIAL', expiresAt: MARCH })] }), 'crm')).toEqual([
      'NONE',
      'DEFAULT',
      'TRIAL_ENDED',
    ]);
  });

  test('a part is shut with its module', () => {
    const parts = licensed({ addOns: [addOn('analytics_advanced', { features: ['analytics.advanced'] })] });
    expect(says(parts, 'analytics.advanced')).toEqual(['NONE', 'ADD_ON', 'PARENT_OFF']);
    expect(says({ ...parts, plan: PROFESSIONAL }, 'analytics.advanced')).toEqual(['FULL', 'ADD_ON', null]);
    const off = [override('analytics', { isEnabled: false })];
    expect(says(licensed({ plan: ENTERPRISE, overrides: off }), 'analytics.advanced')).toEqual([
      'NONE',
      'PLAN',
      'PARENT_OFF',
    ]);
  });

  test.each([
    ['in grace everything works', new Date('2027-06-03T00:00:00Z'), ['FULL', 'PLAN', null]],
    ['restricted, it can be read', new Date('2027-06-10T00:00:00Z'), ['READ', 'PLAN', 'RESTRICTED']],
    ['expired, it is shut', new Date('2027-07-10T00:00:00Z'), ['NONE', 'PLAN', 'EXPIRED']],
  ])('%s', (_, now, answer) => {
    expect(says(licensed({ plan: PROFESSIONAL }), 'crm', now)).toEqual(answer);
  });

  test('after a trial nobody paid for, the reason is the trial', () => {
    const facts = licensed({ plan: PROFESSIONAL, paidUntil: null, trialEndsAt: MARCH });
    expect(says(facts, 'crm')).toEqual(['READ', 'PLAN', 'TRIAL_ENDED']);
    expect(says({ ...facts, openHolds: ['SUSPENDED'] }, 'crm')).toEqual(['NONE', 'PLAN', 'SUSPENDED']);
  });

  test('an override of a test process stands above all, named as such', () => {
    const test = { plan: PROFESSIONAL, on: ['white_label' as const], off: ['analytics' as const] };
    const facts = licensed({ test, overrides: [override('white_label', { isEnabled: false })] });
    expect(says(facts, 'crm')).toEqual(['FULL', 'TEST_OVERRIDE', null]);
    expect(says(facts, 'white_label')).toEqual(['FULL', 'TEST_OVERRIDE', null]);
    expect(says(facts, 'analytics')).toEqual(['NONE', 'TEST_OVERRIDE', 'OVERRIDE_OFF']);
    expect(limitAt(facts, 'subscribers', MARCH)).toMatchObject({ limit: 5_000n, source: 'TEST_OVERRIDE' });
  });
});

describe('A limit is what plan and add-ons allow, unless an override says otherwise', () => {
  const addOns = [
    addOn('subscribers_500', { quantity: 2, limits: [{ key: 'subscribers', mode: 'ADD', amount: 500n }] }),
  ];
  const subscribers = (over: Parameters<typeof licensed>[0]) => {
    const { limit, policy, source, unitRate } = limitAt(licensed(over), 'subscribers', MARCH);
    return { limit, policy, source, unitRate };
  };

  test('500 of the plan and two packs of 500 are 1,500', () => {
    expect(subscribers({ addOns })).toEqual({ limit: 1_500n, policy: 'HARD', source: 'ADD_ON', unitRate: '0.10' });
  });

  test('an override of the limit stands for itself', () => {
    expect(subscribers({ addOns, overrides: [override('subscribers', { limit: 1_200n })] })).toMatchObject({
      limit: 1_200n,
      source: 'OVERRIDE',
    });
  });

  test('an override of the policy alone keeps plan and add-ons', () => {
    const overrides = [override('subscribers', { policy: 'OVERAGE' })];
    expect(subscribers({ addOns, overrides })).toEqual({
      limit: 1_500n,
      policy: 'OVERAGE',
      source: 'ADD_ON',
      unitRate: '0.10',
    });
  });

  test('unlimited_api lifts 500,000 calls to no end', () => {
    const unlimited = addOn('unlimited_api', { limits: [{ key: 'api_calls', mode: 'SET', amount: null }] });
    expect(limitAt(licensed({ plan: PROFESSIONAL, addOns: [unlimited] }), 'api_calls', MARCH)).toMatchObject({
      limit: null,
      policy: 'OVERAGE',
      source: 'ADD_ON',
    });
  });

  test('a SET below what the plan allows changes nothing, above it wins', () => {
    const set = (amount: bigint) => [
      addOn('set', { limits: [{ key: 'devices' as const, mode: 'SET' as const, amount }] }),
    ];
    expect(limitAt(licensed({ addOns: set(10n) }), 'devices', MARCH)).toMatchObject({ limit: 25n, source: 'PLAN' });
    expect(limitAt(licensed({ addOns: set(40n) }), 'devices', MARCH)).toMatchObject({ limit: 40n, source: 'ADD_ON' });
  });

  test('a quota the plan does not name is 0', () => {
    expect(limitAt(licensed({ plan: { ...PROFESSIONAL, limits: [] } }), 'devices', MARCH)).toMatchObject({
      limit: 0n,
      policy: 'HARD',
      source: 'DEFAULT',
    });
  });

  test('an override that has expired is forgotten', () => {
    const overrides = [override('subscribers', { isUnlimited: true, expiresAt: MAY })];
    expect(limitAt(licensed({ overrides }), 'subscribers', MARCH).limit).toBeNull();
    expect(limitAt(licensed({ overrides }), 'subscribers', MAY).limit).toBe(500n);
  });
});

describe('The course of a licence answers for every instant', () => {
  const courseSays = (course: ReturnType<typeof courseOf>, now: Date) => {
    const step = stepAt(course, now);
    const features = FEATURE_KEYS.map((key) => step?.features[key] ?? { access: 'NONE', reason: 'NOT_IN_PLAN' });
    return { state: step?.state, core: step?.core, features };
  };
  const directlySays = (facts: LicenseFacts, now: Date) => {
    const state = stateAt(facts, now);
    const features = entitlementsAt(facts, now).map(({ access, reason }) => (reason ? { access, reason } : { access }));
    return { state, core: coreIn(state), features };
  };

  test('what it says is what the rules say, at any instant of the licence', () => {
    fc.assert(
      fc.property(anyFacts, instant, fc.integer({ min: -1, max: 1 }), (facts, moment, shift) => {
        const course = courseOf(facts);
        const moments = [moment, ...instantsOf(facts)].map((at) => new Date(at.getTime() + shift));
        for (const now of moments.filter((at) => at >= facts.validFrom))
          expect(courseSays(course, now)).toEqual(directlySays(facts, now));
      }),
      { numRuns: 400 },
    );
  });

  test('its steps ascend, and each changes something', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const course = courseOf(facts);
        for (const [i, { from, ...step }] of course.entries()) {
          const { from: earlier, ...before } = course[i - 1] ?? { from: '' };
          expect(from > earlier).toBe(true);
          expect(step).not.toEqual(before);
        }
      }),
    );
  });

  test('what is left of it at an instant answers for all later ones', () => {
    fc.assert(
      fc.property(anyFacts, instant, instant, (facts, now, later) => {
        fc.pre(later >= now && now >= facts.validFrom);
        expect(stepAt(aheadOf(courseOf(facts), now), later)).toEqual(stepAt(courseOf(facts), later));
      }),
    );
  });

  test('a paid professional in Berlin has four steps', () => {
    const course = courseOf(licensed({ plan: PROFESSIONAL, paidUntil: new Date('2027-03-25T23:00:00Z') }));
    expect(course.map(({ from, state, core, features }) => [from, state, core, features.crm?.access])).toEqual([
      ['2027-01-01T00:00:00.000Z', 'ACTIVE', 'FULL', 'FULL'],
      ['2027-03-25T23:00:00.000Z', 'GRACE', 'FULL', 'FULL'],
      ['2027-04-01T22:00:00.000Z', 'RESTRICTED', 'READ', 'READ'],
      ['2027-04-15T22:00:00.000Z', 'EXPIRED', 'READ', 'NONE'],
    ]);
  });
});
