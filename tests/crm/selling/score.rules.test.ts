import fc from 'fast-check';
import {
  gradeOf,
  type LeadFacts,
  type LeadKind,
  type LeadSource,
  pointsOf,
  scoreOf,
  type Verdict,
} from '../../../subgraphs/crm/selling/score.rules.ts';

const A: LeadFacts = {
  kind: 'RESIDENTIAL',
  source: 'WEBSITE',
  verdict: 'SERVICEABLE',
  monthlyBudgetMinor: null,
  isDecisionMaker: null,
  need: 'Home office',
  daysToDecide: 20,
  inboundOf30Days: 2,
  silentDays: 3,
};
const B: LeadFacts = {
  kind: 'ENTERPRISE',
  source: 'REFERRAL',
  verdict: 'REQUIRES_CONSTRUCTION',
  monthlyBudgetMinor: 120_000n,
  isDecisionMaker: true,
  need: 'Two sites',
  daysToDecide: 60,
  inboundOf30Days: 6,
  silentDays: 0,
};
const C: LeadFacts = {
  ...A,
  verdict: 'NOT_SERVICEABLE',
  source: 'COLD_CALL',
  need: null,
  daysToDecide: null,
  inboundOf30Days: 0,
  silentDays: 40,
};
const BEST: LeadFacts = { ...B, verdict: 'SERVICEABLE', source: 'EXISTING_CUSTOMER', daysToDecide: 0 };

describe('the score of a lead (R4)', () => {
  test.each([
    ['(a) a home that can be served, seen on the website', A, 66, 66, 'B'],
    ['(b) an enterprise that asks often', B, 82, 82, 'A'],
    ['(c) a cold call out of reach, silent for 40 days', C, -26, 0, 'D'],
    ['(d) as (a), silent for 35 days', { ...A, inboundOf30Days: 0, silentDays: 35 }, 54, 54, 'B'],
    ['(e) as (a), out of reach', { ...A, verdict: 'NOT_SERVICEABLE' as const }, 11, 11, 'D'],
    ['(f) the best of everything', BEST, 110, 100, 'A'],
  ])('%s', (_, facts, points, score, grade) => {
    expect(pointsOf(facts)).toBe(points);
    expect(scoreOf(facts)).toEqual({ score, grade, scoreModelNumber: 1 });
  });

  test.each([
    [70, 'A'],
    [69, 'B'],
    [50, 'B'],
    [49, 'C'],
    [30, 'C'],
    [29, 'D'],
  ])('%i points are grade %s', (score, grade) => {
    expect(gradeOf(score)).toBe(grade);
  });

  const change = (facts: Partial<LeadFacts>) =>
    pointsOf({ ...C, verdict: 'UNKNOWN', silentDays: 0, ...facts }) -
    pointsOf({ ...C, verdict: 'UNKNOWN', silentDays: 0 });

  test.each([
    [{ monthlyBudgetMinor: 2_999n }, 0],
    [{ monthlyBudgetMinor: 3_000n }, 4],
    [{ monthlyBudgetMinor: 10_000n }, 8],
    [{ monthlyBudgetMinor: 50_000n }, 12],
    [{ daysToDecide: -1 }, 0],
    [{ daysToDecide: 0 }, 12],
    [{ daysToDecide: 30 }, 12],
    [{ daysToDecide: 31 }, 6],
    [{ daysToDecide: 90 }, 6],
    [{ daysToDecide: 91 }, 2],
    [{ inboundOf30Days: 5 }, 15],
    [{ inboundOf30Days: 50 }, 15],
    [{ silentDays: 20 }, 0],
    [{ silentDays: 21 }, -2],
    [{ silentDays: 84 }, -20],
    [{ silentDays: 1_000 }, -20],
    [{ verdict: undefined }, 0],
  ] as const)('%o changes the points by %i', (facts, points) => {
    expect(change(facts)).toBe(points);
  });

  test('whatever is known, a score is 0 to 100, and a better verdict never lowers it', () => {
    const facts = fc.record<LeadFacts>({
      kind: fc.constantFrom<LeadKind>('RESIDENTIAL', 'BUSINESS', 'ENTERPRISE', 'PUBLIC_SECTOR'),
      source: fc.constantFrom<LeadSource>('EXISTING_CUSTOMER', 'COLD_CALL', 'OTHER'),
      verdict: fc.constantFrom<Verdict>('UNKNOWN', 'NOT_SERVICEABLE', 'PENDING_EXPANSION'),
      monthlyBudgetMinor: fc.option(fc.bigInt({ min: 0n, max: 10n ** 12n })),
      isDecisionMaker: fc.option(fc.boolean()),
      need: fc.option(fc.string()),
      daysToDecide: fc.option(fc.integer({ min: -400, max: 400 })),
      inboundOf30Days: fc.nat(100),
      silentDays: fc.nat(1_000),
    });
    fc.assert(
      fc.property(facts, (lead) => {
        const { score } = scoreOf(lead);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
        expect(scoreOf({ ...lead, verdict: 'SERVICEABLE' }).score).toBeGreaterThanOrEqual(score);
      }),
    );
  });
});
