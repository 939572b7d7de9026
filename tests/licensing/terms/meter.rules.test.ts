import type { Meter } from '../../../subgraphs/licensing/catalogue/add-on.rules.ts';
import { directionOf } from '../../../subgraphs/licensing/changes/plan-change.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { addOn, ENTERPRISE, licensed, override, PROFESSIONAL } from '../facts.ts';

const NOW = new Date('2027-03-10T00:00:00Z');
const metered = (unitRate: string, quota: Meter['quota'] = 'tickets', code = 'extra') =>
  addOn(code, { meter: { quota, unitRate } });
const termsOf = (facts: Parameters<typeof licensed>[0], key: Meter['quota'] = 'tickets') => {
  const { limit, policy, unitRate, source } = limitAt(licensed(facts), key, NOW);
  return { limit, policy, unitRate, source };
};

describe('An add-on with a meter', () => {
  test('lets use above the plan’s limit in and charges it, and leaves the limit and every other quota', () => {
    const facts = { addOns: [metered('0.05')] };
    expect(termsOf(facts)).toEqual({ limit: 100n, policy: 'OVERAGE', unitRate: '0.05', source: 'PLAN' });
    expect(termsOf(facts, 'api_calls')).toEqual(termsOf({}, 'api_calls'));
  });

  test('counts as long as it is held, and its own limits with it', () => {
    const more = { ...metered('0.05'), limits: [{ key: 'tickets' as const, mode: 'ADD' as const, amount: 50n }] };
    expect(termsOf({ addOns: [more] })).toMatchObject({ limit: 150n, policy: 'OVERAGE' });
    expect(termsOf({ addOns: [{ ...more, endsAt: NOW }] })).toMatchObject({ limit: 100n, policy: 'HARD' });
  });

  test.each<[string, Parameters<typeof licensed>[0], Meter['quota'], string]>([
    ['of two meters the lowest', { addOns: [metered('0.05'), metered('0.040', 'tickets', 'b')] }, 'tickets', '0.040'],
    ['whatever their order', { addOns: [metered('0.9'), metered('10', 'tickets', 'b')] }, 'tickets', '0.9'],
    [
      'the plan’s, where it sells for less',
      { plan: PROFESSIONAL, addOns: [metered('0.002', 'api_calls')] },
      'api_calls',
      '0.001',
    ],
    ['not the plan’s, where it sells nothing', { addOns: [metered('0.20', 'subscribers')] }, 'subscribers', '0.20'],
    [
      'an override’s before all',
      { addOns: [metered('0.05')], overrides: [override('tickets', { unitRate: '7' })] },
      'tickets',
      '7',
    ],
  ])('of several rates that one counts: %s', (_name, facts, key, unitRate) => {
    expect(termsOf(facts, key)).toMatchObject({ policy: 'OVERAGE', unitRate });
  });

  test('an override that refuses goes before it, and what is unlimited stays so', () => {
    const facts = { addOns: [metered('0.05')], overrides: [override('tickets', { policy: 'HARD' })] };
    expect(termsOf(facts)).toMatchObject({ policy: 'HARD' });
    expect(termsOf({ plan: ENTERPRISE, addOns: [metered('0.05')] })).toMatchObject({ limit: null });
  });

  test('is an upgrade to buy, and a downgrade to give up, whatever else it brings', () => {
    for (const one of [metered('0.05'), { ...metered('0.05'), features: ['tickets' as const] }]) {
      const [without, held] = [licensed(), licensed({ addOns: [one] })];
      expect([directionOf(without, held, NOW), directionOf(held, without, NOW)]).toEqual(['UPGRADE', 'DOWNGRADE']);
    }
  });
});
