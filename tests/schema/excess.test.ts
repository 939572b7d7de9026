import fc from 'fast-check';
import { frozenOf, type Limited } from '../../schema/excess.ts';

const thing = (n: number, more: Partial<Limited> = {}): Limited => ({
  id: `e${n}`,
  createdAt: new Date(Date.UTC(2027, 0, n)),
  ...more,
});
const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => thing(n));
const ids = (things: readonly Limited[]) => things.map(({ id }) => id);

describe('What a lowered limit freezes', () => {
  test('of eight endpoints, limit five, keep e7: kept e7 and e1 to e4, frozen e5, e6, e8', () => {
    expect(ids(frozenOf(eight, 5n, ['e7']))).toEqual(['e5', 'e6', 'e8']);
    expect(ids(frozenOf([...eight].reverse(), 5n, ['e7']))).toEqual(['e5', 'e6', 'e8']);
  });

  test.each([
    ['nothing without a limit', null, [], []],
    ['nothing at the limit', 8n, [], []],
    ['the newest', 6n, [], ['e7', 'e8']],
    ['all at zero', 0n, ['e1'], ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']],
    [
      'of more named than there are places, the last named',
      2n,
      ['e8', 'e7', 'e6'],
      ['e6', 'e1', 'e2', 'e3', 'e4', 'e5'],
    ],
    ['as if named once what is named twice', 2n, ['e8', 'e8', 'e7'], ['e1', 'e2', 'e3', 'e4', 'e5', 'e6']],
    ['as if never named what is unknown', 7n, ['x'], ['e8']],
  ] as const)('is %s', (_, limit, keepIds, frozen) => {
    expect(ids(frozenOf(eight, limit, keepIds))).toEqual(frozen);
  });

  test('is never the last administrator, however new and whatever is named', () => {
    const lateAdmin = [...eight, thing(9, { isProtected: true })];
    expect(ids(frozenOf(lateAdmin, 3n, ['e7']))).toEqual(['e2', 'e3', 'e4', 'e5', 'e6', 'e8']);
    expect(ids(frozenOf(lateAdmin, 0n, []))).not.toContain('e9');
    const two = [...lateAdmin, thing(10, { isProtected: true })];
    expect(ids(frozenOf(two, 1n, []))).not.toContain('e9');
    expect(ids(frozenOf(two, 1n, ['e10']))).toEqual(expect.arrayContaining(['e9']));
    expect(ids(frozenOf(two, 1n, ['e10']))).not.toContain('e10');
  });

  test('stays frozen while others work, and comes back the oldest first', () => {
    const cut = eight.map((one) => ({ ...one, isFrozen: ['e1', 'e3', 'e8'].includes(one.id) }));
    expect(ids(frozenOf(cut, 5n, []))).toEqual(['e1', 'e3', 'e8']);
    expect(ids(frozenOf(cut, 6n, []))).toEqual(['e3', 'e8']);
    expect(ids(frozenOf(cut, 4n, []))).toEqual(['e7', 'e1', 'e3', 'e8']);
    expect(ids(frozenOf(cut, 5n, ['e8']))).toEqual(['e7', 'e1', 'e3']);
  });
});

describe('Whatever is limited', () => {
  const things = fc
    .uniqueArray(fc.nat(40), { maxLength: 15 })
    .chain((numbers) =>
      fc.tuple(
        ...numbers.map((n) =>
          fc.record({ isFrozen: fc.boolean(), isProtected: fc.boolean() }).map((more) => thing(n, more)),
        ),
      ),
    );
  const limit = fc.option(fc.bigInt(0n, 15n));
  const keep = fc.array(
    fc.nat(40).map((n) => `e${n}`),
    { maxLength: 6 },
  );
  const applied = (all: readonly Limited[], most: bigint | null, keepIds: readonly string[]) => {
    const frozen = new Set(ids(frozenOf(all, most, keepIds)));
    return all.map((one) => ({ ...one, isFrozen: frozen.has(one.id) }));
  };
  const working = (all: readonly Limited[]) => ids(all.filter(({ isFrozen }) => !isFrozen)).sort();

  test('never more than the limit work, nor fewer than could; one that is protected always does', () => {
    fc.assert(
      fc.property(things, limit, keep, (all, most, keepIds) => {
        const kept = applied(all, most, keepIds).filter(({ isFrozen }) => !isFrozen);
        const hasProtected = all.some(({ isProtected }) => isProtected);
        const places = most === null ? all.length : Math.max(Number(most), hasProtected ? 1 : 0);
        expect(kept).toHaveLength(Math.min(all.length, places));
        expect(kept.some(({ isProtected }) => isProtected)).toBe(hasProtected);
      }),
    );
  });

  test('what was named stays before what was not, but for the one that is protected', () => {
    fc.assert(
      fc.property(things, limit, keep, (all, most, keepIds) => {
        const after = applied(all, most, keepIds);
        const isNamedFrozen = after.some(({ id, isFrozen }) => isFrozen && keepIds.includes(id));
        const others = after.filter(({ id, isFrozen }) => !isFrozen && !keepIds.includes(id));
        if (isNamedFrozen) expect(others.every(({ isProtected }) => isProtected)).toBe(true);
        if (isNamedFrozen) expect(others.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('hearing the same again changes nothing, and the order in which rows come does not matter', () => {
    fc.assert(
      fc.property(things, limit, keep, (all, most, keepIds) => {
        const once = applied(all, most, keepIds);
        expect(working(applied(once, most, keepIds))).toEqual(working(once));
        expect(working(applied(once, most, []))).toEqual(working(once));
        expect(working(applied([...all].reverse(), most, keepIds))).toEqual(working(once));
      }),
    );
  });

  test('a limit that rises shuts nobody out, one that falls lets nobody in, and one that comes back brings all back', () => {
    fc.assert(
      fc.property(things, limit, limit, keep, (all, one, other, keepIds) => {
        const [less, more] = one !== null && (other === null || one <= other) ? [one, other] : [other, one];
        const low = applied(all, less, keepIds);
        const raised = applied(low, more, []);
        expect(working(raised)).toEqual(expect.arrayContaining(working(low)));
        expect(working(raised)).toEqual(expect.arrayContaining(working(applied(raised, less, []))));
        expect(working(applied(low, null, []))).toEqual(ids(all).sort());
      }),
    );
  });
});
