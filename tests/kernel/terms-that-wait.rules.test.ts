import fc from 'fast-check';
import { allowsLess, ceilingOf } from '../../schema/quota.ts';
import { burnt, type Counted, type QuotaTerms, termsAfter, turned } from '../../subgraphs/_kernel/quota.rules.ts';

const START = new Date('2027-04-01T00:00:00Z');
const RESET = new Date('2027-05-01T00:00:00Z');
const WITHIN = new Date('2027-04-15T12:00:00Z');
const terms = (limit: bigint | null, over: Partial<QuotaTerms> = {}): QuotaTerms => ({
  ...{ limit, policy: 'HARD', marginPercent: 0, overageCap: null, unitRate: null, ...over },
});
const overage = (limit: bigint, unitRate = '0.001') => terms(limit, { policy: 'OVERAGE', unitRate });

/** A counter in UTC whose period is April 2027. */
const counter = (held: QuotaTerms, over: Partial<Counted> = {}): Counted => ({
  ...{ ...held, next: null, kind: 'COUNTER', topUps: [], used: 0n, toppedUp: 0n, reported: 0n, warned: [] },
  ...{ anchorDay: 1, zone: 'UTC', periodStart: START, periodEnd: RESET, day: null, dayEndsAt: null },
  ...{ dayAdded: 0n, dayPeak: 0n, highestClosing: 0n, ...over },
});

describe('A licence says something else of a counter', () => {
  test.each<[string, QuotaTerms, QuotaTerms, boolean]>([
    ['a lower limit waits', terms(1_000n), terms(100n), true],
    ['a higher one holds at once', terms(100n), terms(1_000n), false],
    ['the same changes nothing', terms(100n), terms(100n), false],
    ['a limit where there was none waits', terms(null), terms(100n), true],
    ['and though what is over would be sold', terms(null), overage(100n), true],
    ['no limit holds at once', terms(100n), terms(null), false],
    ['less that is free of charge waits', overage(500n), overage(100n), true],
    ['the end of overage waits', overage(100n), terms(100n), true],
    ['overage holds at once', terms(100n), overage(100n), false],
    ['a smaller margin waits', terms(100n, { policy: 'SOFT', marginPercent: 20 }), terms(100n), true],
    ['a smaller cap waits', { ...overage(100n), overageCap: 50n }, { ...overage(100n), overageCap: 20n }, true],
    ['less that is free waits whole, though more may be used', terms(1_000n), overage(500n), true],
    ['another price alone holds at once', overage(100n), overage(100n, '0.002'), false],
  ])('%s', (_name, held, said, waits) => {
    const after = termsAfter(counter(held), said, WITHIN);
    expect(after).toMatchObject(waits ? { terms: held, next: said } : { terms: said, next: null });
  });

  test('what it said when the period began the period goes by, though it is written down later', () => {
    expect(termsAfter(counter(terms(9n)), terms(5n), START)).toEqual({ terms: terms(5n), next: null });
    expect(termsAfter(counter(terms(9n)), terms(5n), new Date(START.getTime() + 1)).next).toEqual(terms(5n));
  });

  test('a gauge never waits, nor a counter nobody has ever used', () => {
    for (const over of [{ kind: 'GAUGE' as const }, { periodStart: null }])
      expect(termsAfter(counter(terms(9n), over), terms(5n), WITHIN)).toEqual({ terms: terms(5n), next: null });
  });

  test('the period that ends is told under what it went by, and the next one goes by what waited', () => {
    const row = counter(overage(500n), { used: 700n, next: terms(100n) });
    const before = turned(row, new Date(RESET.getTime() - 1));
    expect(before.row).toMatchObject({ limit: 500n, policy: 'OVERAGE', next: terms(100n) });
    const { row: after, periods } = turned(row, RESET);
    expect(periods).toEqual([{ start: START, end: RESET, used: 700n, included: 500n, unitRate: '0.001' }]);
    expect(after).toMatchObject({ ...terms(100n), next: null, used: 0n });
  });
});

describe('However a licence changes, a counter is used and time passes', () => {
  const anyTerms: fc.Arbitrary<QuotaTerms> = fc.record({
    limit: fc.option(fc.bigInt({ min: 0n, max: 200n }), { nil: null, freq: 6 }),
    policy: fc.constantFrom('HARD' as const, 'SOFT' as const, 'OVERAGE' as const),
    marginPercent: fc.integer({ min: 0, max: 50 }),
    overageCap: fc.option(fc.bigInt({ min: 0n, max: 60n }), { nil: null }),
    unitRate: fc.option(fc.constantFrom('0.001', '0.5'), { nil: null }),
  });
  const anyStep = fc.oneof(
    fc.record({ said: anyTerms }),
    fc.record({ uses: fc.bigInt({ min: 1n, max: 90n }) }),
    fc.record({ hours: fc.integer({ min: 1, max: 24 * 40 }) }),
  );
  const mostOf = (held: QuotaTerms) => ceilingOf(held.limit, held.policy, held.marginPercent, held.overageCap);
  const larger = (a: bigint | null, b: bigint | null) => (a === null || b === null ? null : a > b ? a : b);

  test('what passes never exceeds what stood when the period began or a raise since, and no period loses what it had', () => {
    fc.assert(
      fc.property(anyTerms, fc.array(anyStep, { minLength: 1, maxLength: 40 }), (first, steps) => {
        let row = counter(first);
        let [said, most, at] = [first, mostOf(first), WITHIN.getTime() + 1]; // never the very instant of a reset
        for (const step of steps) {
          if ('hours' in step) {
            at += step.hours * 3_600_000;
            const start = row.periodStart?.getTime();
            row = turned(row, new Date(at)).row;
            if (row.periodStart?.getTime() === start) continue;
            expect(row).toMatchObject({ ...said, next: null }); // never later than the next reset
            most = mostOf(said);
          } else if ('said' in step) {
            said = step.said;
            const { terms: goesBy, next } = termsAfter(row, said, new Date(at));
            expect(allowsLess(goesBy, row)).toBe(false);
            expect(next ?? goesBy).toEqual(said);
            row = { ...row, ...goesBy, next };
            most = larger(most, mostOf(said));
          } else {
            const use = burnt(row, row, step.uses, new Date(at));
            if (!use) continue;
            row = { ...row, ...use };
            expect(most === null || row.used <= most).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('lowered and raised back it leaves no trace', () => {
    fc.assert(
      fc.property(anyTerms, fc.array(anyTerms, { maxLength: 5 }), (held, between) => {
        let row = counter(held);
        for (const said of between.filter((one) => allowsLess(one, held))) {
          const { terms: goesBy, next } = termsAfter(row, said, WITHIN);
          row = { ...row, ...goesBy, next };
        }
        expect(termsAfter(row, held, WITHIN)).toEqual({ terms: held, next: null });
      }),
    );
  });
});
