import fc from 'fast-check';
import { backoffMs, meaningOf } from '../../../clients/portal/license-news.ts';

const delta = (version: number, previousVersion = version - 1) => ({ kind: 'DELTA', version, previousVersion });
const snapshot = (version: number) => ({ kind: 'SNAPSHOT', version, previousVersion: null });

describe('What news of a licence means to a portal', () => {
  test.each([
    ['the next change follows on what is held', 4, delta(5), 'NEXT'],
    ['a change that was heard before is left out', 5, delta(5), 'KNOWN'],
    ['so is one from long ago', 9, delta(5), 'KNOWN'],
    ['after a gap the portal asks anew', 3, delta(5), 'MISSED'],
    ['a change with nothing held asks anew', null, delta(5), 'MISSED'],
    ['a snapshot stands for itself', 3, snapshot(5), 'NEXT'],
    ['a snapshot wins over a newer version that is held', 9, snapshot(5), 'NEXT'],
    ['a snapshot is a beginning', null, snapshot(5), 'NEXT'],
    ['a first licence follows on none', 0, delta(1), 'NEXT'],
    ['the last word is the last word', 4, { kind: 'ENDED', version: 4 }, 'ENDED'],
  ] as const)('%s', (_, held, news, meaning) => {
    expect(meaningOf(held, news)).toBe(meaning);
  });

  test('whatever is lost, doubled or late on the way, a portal never goes back, and a whole last change leaves it up to date', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ isLost: fc.boolean(), again: fc.nat(6) }), { minLength: 1 }), (steps) => {
        let held = 0;
        steps.forEach(({ isLost, again }, i) => {
          const present = i + 1;
          const late = Math.max(1, present - again);
          const isLast = present === steps.length;
          for (const news of isLost && !isLast ? [delta(late)] : [delta(late), delta(present)]) {
            const before = held;
            const meaning = meaningOf(held, news);
            if (meaning === 'NEXT') held = news.version;
            if (meaning === 'MISSED') held = present; // asked anew
            expect(held).toBeGreaterThanOrEqual(before);
          }
        });
        expect(held).toBe(steps.length);
      }),
    );
  });
});

describe('How long a portal waits before it tries again', () => {
  test.each([
    [0, 250, 500],
    [1, 500, 1_000],
    [3, 2_000, 4_000],
    [5, 7_500, 15_000],
    [5_000, 7_500, 15_000],
  ])('after %i failures in a row from %i to %i ms', (failures, least, most) => {
    expect(backoffMs(failures, 0)).toBe(least);
    expect(backoffMs(failures, 1)).toBe(most);
  });
});
