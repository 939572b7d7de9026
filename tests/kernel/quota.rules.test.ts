import fc from 'fast-check';
import { monthlyPeriod, startOfDay } from '../../schema/calendar.ts';
import { ceilingOf } from '../../schema/quota.ts';
import {
  type Allowance,
  burnt,
  type Counted,
  leftOf,
  MAX_USE,
  newlyReached,
  plainUntil,
  type TopUp,
  topUpsLeft,
  turned,
} from '../../subgraphs/_kernel/quota.rules.ts';

const NOW = new Date('2027-04-15T12:00:00Z');
const topUp = (grantId: string, remaining: bigint, over: Partial<TopUp> = {}): TopUp => ({
  ...{ grantId, remaining, priority: 50, startsAt: new Date('2027-04-01T00:00:00Z'), expiresAt: null, rolloverMax: 0n },
  ...over,
});
const allowance = (over: Partial<Allowance> = {}): Allowance => ({
  ...{ limit: 100n, policy: 'HARD', marginPercent: 0, overageCap: null, topUps: [], ...over },
});
const left = (topUps: readonly TopUp[]) => Object.fromEntries(topUps.map((one) => [one.grantId, one.remaining]));

describe('A use burns', () => {
  const A = topUp('A', 5n, { priority: 10, expiresAt: new Date('2027-05-10T00:00:00Z') });
  const B = topUp('B', 10n, { priority: 10, expiresAt: new Date('2027-05-01T00:00:00Z'), remaining: 3n });
  const C = topUp('C', 2n, { priority: 1 });

  test('first the allotment, then top-ups by priority and expiry: of 8 at 98 of 100 it takes 2, C 2, B 3 and A 1', () => {
    const after = burnt(allowance({ topUps: [A, B, C] }), { used: 98n, toppedUp: 0n }, 8n, NOW);
    expect(after).toMatchObject({ used: 106n, toppedUp: 6n });
    expect(left(after?.topUps ?? [])).toEqual({ A: 4n, B: 0n, C: 0n });
  });

  test('of top-ups that are alike the oldest first', () => {
    const old = topUp('z', 3n, { startsAt: new Date('2027-03-01T00:00:00Z') });
    const after = burnt(allowance({ topUps: [topUp('a', 3n), old] }), { used: 100n, toppedUp: 0n }, 4n, NOW);
    expect(left(after?.topUps ?? [])).toEqual({ z: 0n, a: 2n });
  });

  test('no top-up that has not begun or has ended', () => {
    const topUps = [topUp('past', 9n, { expiresAt: NOW }), topUp('to come', 9n, { startsAt: new Date('2027-05-01') })];
    expect(burnt(allowance({ topUps }), { used: 100n, toppedUp: 0n }, 1n, NOW)).toBeNull();
  });

  test.each<[string, Partial<Allowance>, bigint, bigint, boolean]>([
    ['a hard limit is reached', {}, 99n, 1n, true],
    ['a hard limit is never passed', {}, 99n, 2n, false],
    ['a margin follows the top-ups', { policy: 'SOFT', marginPercent: 10, topUps: [topUp('A', 5n)] }, 100n, 15n, true],
    ['and ends', { policy: 'SOFT', marginPercent: 10, topUps: [topUp('A', 5n)] }, 100n, 16n, false],
    ['overage has no end', { policy: 'OVERAGE' }, 100n, 1_000_000n, true],
    ['but at its cap', { policy: 'OVERAGE', overageCap: 20n, topUps: [topUp('A', 5n)] }, 100n, 25n, true],
    ['which it never passes', { policy: 'OVERAGE', overageCap: 20n, topUps: [topUp('A', 5n)] }, 100n, 26n, false],
    ['under a limit lowered below the use nothing passes', { limit: 10n }, 50n, 1n, false],
    ['unless a top-up pays', { limit: 10n, topUps: [topUp('A', 5n)] }, 50n, 5n, true],
    ['without a limit everything', { limit: null }, 50n, 1_000_000n, true],
  ])('%s', (_name, over, used, amount, passes) => {
    expect(burnt(allowance(over), { used, toppedUp: 0n }, amount, NOW) !== null).toBe(passes);
  });

  const amount = fc.bigInt({ min: 1n, max: 60n });
  const anyTopUp = fc
    .record({
      remaining: fc.bigInt({ min: 0n, max: 40n }),
      priority: fc.integer({ min: 0, max: 3 }),
      expiresAt: fc.option(fc.constantFrom(NOW, new Date('2027-05-01'), new Date('2027-06-01')), { nil: null }),
    })
    .map(({ remaining, ...over }) => topUp('', remaining, over));
  const anyAllowance = fc
    .record({
      limit: fc.option(fc.bigInt({ min: 0n, max: 200n }), { nil: null }),
      policy: fc.constantFrom('HARD' as const, 'SOFT' as const, 'OVERAGE' as const),
      marginPercent: fc.integer({ min: 0, max: 50 }),
      overageCap: fc.option(fc.bigInt({ min: 0n, max: 50n }), { nil: null }),
      topUps: fc.array(anyTopUp, { maxLength: 4 }),
    })
    .map((made) => ({ ...made, topUps: made.topUps.map((one, i) => ({ ...one, grantId: String(i) })) }));

  test('exactly what was asked, never past limit and top-ups, and is refused only when that much is not left', () => {
    fc.assert(
      fc.property(anyAllowance, fc.array(amount, { maxLength: 30 }), (given, amounts) => {
        let allowed: Allowance = given;
        const use = { used: 0n, toppedUp: 0n };
        const granted = topUpsLeft(given.topUps, NOW);
        const ceiling = ceilingOf(given.limit, given.policy, given.marginPercent, given.overageCap);
        for (const asked of amounts) {
          const room = leftOf(allowed, use, NOW);
          const after = burnt(allowed, use, asked, NOW);
          expect(after === null).toBe(room !== null && asked > room);
          if (!after) continue;
          const burned = topUpsLeft(allowed.topUps, NOW) - topUpsLeft(after.topUps, NOW);
          expect(after.used - use.used).toBe(asked);
          expect(after.toppedUp - use.toppedUp).toBe(burned);
          if (burned > 0n) expect(after.used - after.toppedUp >= (given.limit as bigint)).toBe(true);
          ({ used: use.used, toppedUp: use.toppedUp } = after);
          allowed = { ...allowed, topUps: after.topUps };
          if (ceiling !== null) expect(use.used <= ceiling + granted).toBe(true);
          expect(allowed.topUps.every(({ remaining }) => remaining >= 0n)).toBe(true);
        }
      }),
    );
  });

  test('nothing but the allotment, and warns of nothing, as long as it is counted plainly', () => {
    fc.assert(
      fc.property(anyAllowance, fc.bigInt({ min: 0n, max: 300n }), (given, used) => {
        const row = counted({ ...given, used });
        const until = plainUntil(row);
        fc.pre(until > used && until < 10_000n);
        const after = burnt(row, row, until - used, NOW);
        expect(after && topUpsLeft(after.topUps, NOW)).toBe(topUpsLeft(given.topUps, NOW));
        expect(newlyReached(until, row.limit, [])).toEqual(newlyReached(used, row.limit, []));
      }),
    );
  });
});

test('However large a limit and its margin, what is counted plainly ends where counting does', () => {
  const row = { policy: 'SOFT', marginPercent: 50, warned: [80, 100] } as const;
  expect(plainUntil(counted({ ...row, limit: MAX_USE - 1n, used: MAX_USE - 1n, warned: [...row.warned] }))).toBe(
    MAX_USE,
  );
});

/** A counter in Denver that was last used on 10 April 2027. */
const counted = (over: Partial<Counted> = {}): Counted => ({
  ...{ ...allowance(), kind: 'COUNTER', unitRate: null, next: null, used: 40n, toppedUp: 0n, reported: 0n },
  ...{ anchorDay: 1, zone: 'America/Denver', warned: [] },
  ...{ periodStart: new Date('2027-04-01T06:00:00Z'), periodEnd: new Date('2027-05-01T06:00:00Z') },
  ...{
    day: '2027-04-10',
    dayEndsAt: new Date('2027-04-11T06:00:00Z'),
    dayAdded: 7n,
    dayPeak: 41n,
    highestClosing: 33n,
  },
  ...over,
});
const metered = { policy: 'OVERAGE', unitRate: '0.001' } as const;

describe('Days and periods close', () => {
  test('with what was added, what was in use at midnight, and the most; days without use are closed too', () => {
    const { row, days, periods } = turned(counted(), new Date('2027-04-12T20:00:00Z'));
    expect(days).toEqual([
      { date: '2027-04-10', added: 7n, closing: 40n, peak: 41n },
      { date: '2027-04-11', added: 0n, closing: 40n, peak: 40n },
    ]);
    expect(row).toMatchObject({ used: 40n, day: '2027-04-12', dayAdded: 0n, dayPeak: 40n, highestClosing: 40n });
    expect(periods).toEqual([]);
  });

  test('a counter begins its period at nothing, at the instant and not before, and tells what it came to', () => {
    const row = counted({ ...metered, used: 150n, toppedUp: 20n, warned: [80, 100], reported: 4n, day: '2027-04-30' });
    row.dayEndsAt = row.periodEnd;
    expect(turned(row, new Date('2027-05-01T05:59:59.999Z')).row).toEqual(row);
    const { row: next, days, periods } = turned(row, new Date('2027-05-01T06:00:00Z'));
    expect(days).toMatchObject([{ date: '2027-04-30', closing: 150n }]);
    expect(periods).toEqual([
      { start: row.periodStart, end: row.periodEnd, used: 150n, included: 120n, unitRate: '0.001' },
    ]);
    expect(next).toMatchObject({ used: 0n, toppedUp: 0n, reported: 0n, warned: [], day: '2027-05-01', dayPeak: 0n });
    expect([next.periodStart, next.periodEnd]).toEqual([row.periodEnd, new Date('2027-06-01T06:00:00Z')]);
  });

  test('of a top-up at most what it may carry over is left; one that had not begun stays whole', () => {
    const topUps = [
      ...[topUp('none', 9n), topUp('some', 9n, { rolloverMax: 4n }), topUp('all', 3n, { rolloverMax: 4n })],
      topUp('to come', 9n, { startsAt: new Date('2027-05-02T00:00:00Z') }),
    ];
    const { row } = turned(counted({ topUps }), new Date('2027-05-01T06:00:00Z'));
    expect(left(row.topUps)).toEqual({ none: 0n, some: 4n, all: 3n, 'to come': 9n });
  });

  test('a gauge keeps its use, and its period comes to the highest use at the end of a day', () => {
    const gauge = counted({ ...metered, kind: 'GAUGE', highestClosing: 160n, warned: [80], used: 120n });
    const { row, periods } = turned(gauge, new Date('2027-05-02T00:00:00Z'));
    expect(periods).toMatchObject([{ used: 160n, included: 100n }]);
    expect(row).toMatchObject({ used: 120n, warned: [80], highestClosing: 0n });
  });

  test('nothing is told of what is not charged', () => {
    for (const over of [{ policy: 'OVERAGE' as const }, { unitRate: '1' }, { ...metered, limit: null }])
      expect(turned(counted(over), new Date('2027-06-15T00:00:00Z')).periods).toEqual([]);
  });

  test.each([
    ['Europe/Berlin', ['01-30T23', '02-27T23', '03-30T22', '04-29T22', '05-30T22']],
    ['America/Denver', ['01-31T07', '02-28T07', '03-31T06', '04-30T06', '05-31T06']],
  ])('at local midnight of the anchor day, clamped but remembered: 31 in %s', (zone, starts) => {
    const begun = counted({ ...metered, zone, anchorDay: 31, day: null, dayEndsAt: null });
    begun.periodStart = new Date('2026-12-31T12:00:00Z');
    begun.periodEnd = monthlyPeriod(begun.periodStart, 31, zone).end;
    const { periods } = turned(begun, new Date('2027-06-15T00:00:00Z'));
    expect(periods.map(({ end }) => end.toISOString().slice(5, 13))).toEqual(starts);
  });

  test('seamlessly and only once, however the time is cut, at any anchor and in any zone', () => {
    const instant = fc.integer({ min: 0, max: 150 * 24 }).map((hours) => new Date(Date.UTC(2026, 11, 1, hours)));
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/Denver',
      'Asia/Manila',
      'America/Sao_Paulo',
      'Africa/Cairo',
    );
    fc.assert(
      fc.property(
        fc.array(instant, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 31 }),
        zones,
        (at, anchorDay, zone) => {
          const [first, ...rest] = at.sort((a, b) => a.getTime() - b.getTime()) as [Date, ...Date[]];
          const end = rest.at(-1) as Date;
          const fresh = counted({
            ...metered,
            anchorDay,
            zone,
            ...{ periodStart: null, periodEnd: null, day: null, dayEndsAt: null },
          });
          const begun = turned(fresh, first).row;
          const once = turned(begun, end);
          let row = begun;
          const cut = rest.map((now) => {
            const step = turned(row, now);
            row = step.row;
            return step;
          });
          expect(row).toEqual(once.row);
          expect(cut.flatMap(({ periods }) => periods)).toEqual(once.periods);
          expect(cut.flatMap(({ days }) => days).slice(-366)).toEqual(once.days);
          const bounds = [...once.periods.map(({ start }) => start), once.row.periodStart as Date];
          expect(once.periods.map((period) => period.end)).toEqual(bounds.slice(1));
          for (const bound of bounds) expect(bound).toEqual(startOfDay(dateIn(bound, zone), zone));
          expect((once.row.periodStart as Date) <= end && end < (once.row.periodEnd as Date)).toBe(true);
          expect((once.row.dayEndsAt as Date) > end).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

const dateIn = (at: Date, timeZone: string) => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(at);
