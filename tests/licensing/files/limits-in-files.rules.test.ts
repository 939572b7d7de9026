import fc from 'fast-check';
import { type Counted, termsAfter, turned } from '../../../subgraphs/_kernel/quota.rules.ts';
import { filePayload } from '../../../subgraphs/licensing/files/license-file.rules.ts';
import { instantsOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import { factsAt, type LicenseFacts } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { limitAt, termsIn } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { anyFacts, anySchedule, instant, licensed, override, PROFESSIONAL } from '../facts.ts';

const NAMES = { issuer: 'x', tenantId: 't', installationId: null, fileId: 'f', epoch: 1, licenseVersion: 1 };
const ISSUED = new Date('2027-04-15T12:00:00Z');
const hard = (limit: bigint | null) => ({
  ...{ limit, policy: 'HARD' as const, marginPercent: 0, overageCap: null, unitRate: null },
});
const counter = (over: Partial<Counted> = {}): Counted => ({
  ...{ ...hard(1_000n), next: null, kind: 'COUNTER', topUps: [], used: 7n, toppedUp: 0n, reported: 0n, warned: [] },
  ...{ anchorDay: 1, zone: 'UTC', day: null, dayEndsAt: null, dayAdded: 0n, dayPeak: 0n, highestClosing: 0n },
  ...{ periodStart: new Date('2027-04-01T00:00:00Z'), periodEnd: new Date('2027-05-01T00:00:00Z'), ...over },
});
const file = (facts: LicenseFacts, tickets: Counted, now = ISSUED) =>
  filePayload(facts, now, { ...NAMES, ttlHours: 720 }, { tickets });

describe('A file says what a counter goes by, as the platform does', () => {
  const limitsOf = (facts: LicenseFacts, tickets: Counted) => {
    const course = file(facts, tickets).course.map(({ from, limits }) => [from.slice(0, 10), limits.tickets.limit]);
    return course.filter(([, limit], i) => limit !== course[i - 1]?.[1]);
  };

  test('a limit that waits holds from the next reset', () => {
    expect(limitsOf(licensed(), counter({ next: hard(100n) }))).toEqual([
      ['2027-04-15', '1000'],
      ['2027-05-01', '100'],
    ]);
  });

  test('one that time will lower waits for the reset after it, one that time will raise does not', () => {
    const until = (limit: bigint) =>
      licensed({
        plan: PROFESSIONAL,
        overrides: [override('tickets', { limit, expiresAt: new Date('2027-05-10T09:00:00Z') })],
      });
    expect(limitsOf(until(3_000n), counter(hard(3_000n)))).toEqual([
      ['2027-04-15', '3000'],
      ['2027-06-01', '1000'],
    ]);
    expect(limitsOf(until(30n), counter(hard(30n)))).toEqual([
      ['2027-04-15', '30'],
      ['2027-05-10', '1000'],
    ]);
  });

  test('at every instant, whatever the licence is and will be', () => {
    const trial = fc.record({
      facts: fc.oneof(anyFacts, anySchedule).filter(({ isRevoked }) => !isRevoked),
      issuedAt: instant,
      anchorDay: fc.integer({ min: 1, max: 31 }),
      held: fc.option(fc.bigInt({ min: 0n, max: 3_000n }), { nil: null }),
      probes: fc.array(fc.integer({ min: 0, max: 40 * 24 }), { minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(trial, ({ facts, issuedAt, anchorDay, held, probes }) => {
        fc.pre(issuedAt >= facts.validFrom);
        const none = { periodStart: null, periodEnd: null };
        const begun = turned(counter({ ...hard(held), anchorDay, zone: facts.zone, ...none }), issuedAt).row;
        const said = (at: Date) => termsIn(limitAt(factsAt(facts, at), 'tickets', at));
        const written = (row: Counted, at: Date): Counted => {
          const { terms, next } = termsAfter(row, said(at), at);
          return { ...row, ...terms, next };
        };
        const { course } = file(facts, written(begun, issuedAt), issuedAt);
        const asked = probes.map((hours) => new Date(issuedAt.getTime() + hours * 3_600_000));
        for (const at of asked) {
          let row = written(begun, issuedAt);
          for (const move of instantsOf(facts).filter((one) => one > issuedAt && one <= at))
            row = written(turned(row, move).row, move);
          row = turned(row, at).row;
          const turn = course.findLast(({ from }) => new Date(from) <= at);
          expect(turn?.limits.tickets.limit ?? null).toBe(row.limit?.toString() ?? null);
        }
      }),
      { numRuns: 200 },
    );
  });
});
