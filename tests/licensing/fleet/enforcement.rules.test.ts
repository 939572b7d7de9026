import fc from 'fast-check';
import { FEATURE_KEYS } from '../../../schema/features.ts';
import { checkEnforcement, enforcementVersion } from '../../../subgraphs/licensing/fleet/enforcement.rules.ts';
import { movesBetween, nextMove, snapshotOf } from '../../../subgraphs/licensing/licenses/license-change.rules.ts';
import { courseOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import {
  enforcementAt,
  entitlementAt,
  entitlementsAt,
  observedAt,
} from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { stateAt } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { anyFacts, instant, licensed } from '../facts.ts';

const at = (text: string) => new Date(`2027-${text}:00Z`);
const NOW = at('03-01T12:00');
const UNTIL = at('03-10T00:00');

/** Any licence at any instant since its start. */
const licensedAt = fc.tuple(anyFacts, instant).filter(([facts, now]) => now >= facts.validFrom);

describe('Gates that only observe', () => {
  test('begin and end by time alone, and say so at the instant', () => {
    const facts = licensed({ observeUntil: UNTIL });
    expect(enforcementAt(facts, new Date(UNTIL.getTime() - 1))).toBe('OBSERVE');
    expect(enforcementAt(facts, UNTIL)).toBe('ENFORCE');
    expect(
      courseOf(facts)
        .map(({ from, observed }) => [from, observed])
        .slice(0, 2),
    ).toEqual([
      ['2027-01-01T00:00:00.000Z', 'FULL'],
      [UNTIL.toISOString(), undefined],
    ]);
    expect(nextMove(facts, NOW)).toEqual(UNTIL);
    expect(snapshotOf(facts, NOW)).toMatchObject({ enforcement: 'OBSERVE', observeUntil: UNTIL.toISOString() });
    expect(snapshotOf(facts, UNTIL)).toMatchObject({ enforcement: 'ENFORCE' });
    expect(snapshotOf(facts, UNTIL)).not.toHaveProperty('observeUntil');
    expect(movesBetween(facts, NOW, UNTIL)).toEqual([UNTIL]);
  });

  test('let pass no more than the state would leave of what is in the plan', () => {
    const observing = { observeUntil: at('07-30T00:00'), graceDays: 7, restrictedDays: 14 };
    const facts = licensed(observing);
    for (const [instant, access] of [
      [at('05-31T23:59'), 'FULL'],
      [at('06-02T00:00'), 'FULL'], // GRACE
      [at('06-09T00:00'), 'READ'], // RESTRICTED
      [at('06-25T00:00'), 'NONE'], // EXPIRED
    ] as const)
      expect([instant, observedAt(facts, instant)]).toEqual([instant, access]);
    expect(observedAt(licensed({ ...observing, openHolds: ['SUSPENDED'] }), NOW)).toBe('NONE');
    expect(observedAt(licensed({ ...observing, isRevoked: true }), NOW)).toBe('NONE');
  });

  test('change no answer about a feature, and nothing but themselves', () => {
    fc.assert(
      fc.property(licensedAt, ([facts, now]) => {
        const enforced = { ...facts, observeUntil: null };
        expect(entitlementsAt(facts, now)).toEqual(entitlementsAt(enforced, now));
        expect(stateAt(facts, now)).toBe(stateAt(enforced, now));
        const { enforcement: _, observeUntil: __, ...says } = snapshotOf(facts, now);
        const { enforcement: ___, ...same } = snapshotOf(enforced, now);
        expect(says).toEqual(same);
      }),
    );
  });

  test('are in the course at every instant as the facts say', () => {
    fc.assert(
      fc.property(anyFacts, fc.array(instant, { minLength: 1, maxLength: 10 }), (facts, instants) => {
        const course = courseOf(facts);
        for (const now of instants.filter((one) => one >= facts.validFrom)) {
          const step = course.findLast(({ from }) => new Date(from) <= now);
          expect(step?.observed ?? 'NONE').toBe(observedAt(facts, now));
        }
      }),
    );
  });
});

describe('The short way to another enforcement', () => {
  test('makes the version any other change would make of it', () => {
    fc.assert(
      fc.property(licensedAt, fc.option(instant, { nil: null }), ([facts, now], wanted) => {
        const license = {
          version: 4,
          snapshot: snapshotOf(facts, now),
          snapshotAt: now,
          nextTransitionAt: nextMove(facts, now),
        };
        const made = enforcementVersion(license, facts, wanted, now);
        const next = { ...facts, observeUntil: wanted };
        if (made === null) return void expect(snapshotOf(next, now)).toEqual(license.snapshot);
        if (made === 'OTHERWISE') throw new Error('Nothing had moved.');
        const said = Object.entries({ ...license.snapshot, ...made.after }).filter(([, value]) => value !== null);
        expect(Object.fromEntries(said)).toEqual(snapshotOf(next, now));
        expect(made.version).toBe(5);
        expect(made.nextTransitionAt).toEqual(nextMove(next, now));
        expect(made.event).toMatchObject({
          version: 5,
          previousVersion: 4,
          cause: 'ENFORCEMENT_SET',
          endedFeatures: [],
        });
        expect(made.changedKeys).toEqual(Object.keys(made.after));
        expect(Object.keys(made.before)).toEqual(made.changedKeys);
        for (const feature of FEATURE_KEYS)
          expect(made.course[0]?.features[feature]?.access ?? 'NONE').toBe(entitlementAt(facts, feature, now).access);
      }),
    );
  });

  test('is left for the long one where time has moved the licence and nobody wrote it down', () => {
    const facts = licensed();
    const license = { version: 2, snapshot: snapshotOf(facts, NOW), snapshotAt: NOW, nextTransitionAt: null };
    expect(enforcementVersion(license, facts, at('06-20T00:00'), at('06-02T00:00'))).toBe('OTHERWISE');
    expect(enforcementVersion({ ...license, snapshotAt: null }, facts, UNTIL, NOW)).toBe('OTHERWISE');
    expect(enforcementVersion({ ...license, snapshot: { state: 'ACTIVE' } }, facts, UNTIL, NOW)).toBe('OTHERWISE');
  });
});

describe('An order', () => {
  const check = (over: object) => {
    const order = {
      tenantIds: ['a'] as string[] | null,
      isAll: false,
      mode: 'OBSERVE' as const,
      observeUntil: UNTIL,
      ...over,
    };
    return () => checkEnforcement(order.tenantIds, order.isAll, order.mode, order.observeUntil, NOW);
  };
  test.each([
    [{ tenantIds: null }, 'Name tenants, or say all.', 'tenantIds'],
    [{ tenantIds: [] }, 'Name tenants, or say all.', 'tenantIds'],
    [{ isAll: true }, 'Name tenants, or say all.', 'tenantIds'],
    [{ tenantIds: Array.from({ length: 101 }, String) }, 'At most 100 tenants at once.', 'tenantIds'],
    [{ observeUntil: null }, 'Say until when gates only observe.', 'observeUntil'],
    [{ observeUntil: NOW }, 'The end is still to come.', 'observeUntil'],
    [{ observeUntil: at('04-01T12:01') }, 'The end is at most 30 days ahead.', 'observeUntil'],
    [{ mode: 'ENFORCE' }, 'What is enforced has no end.', 'observeUntil'],
  ])('%j is refused', (over, message, field) => {
    expect(check(over)).toThrow(expect.objectContaining({ code: 'INVALID', message, field }));
  });

  test('names a tenant once, or all', () => {
    expect(check({ tenantIds: ['a', 'b', 'a'] })().tenantIds).toEqual(['a', 'b']);
    expect(check({ tenantIds: null, isAll: true })().tenantIds).toBeNull();
    expect(check({ observeUntil: at('03-31T12:00') })().observeUntil).toEqual(at('03-31T12:00'));
  });
});
