import fc from 'fast-check';
import { FEATURE_KEYS } from '../../../schema/features.ts';
import { movesBetween, snapshotOf } from '../../../subgraphs/licensing/licenses/license-change.rules.ts';
import { courseOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import { entitlementAt, entitlementsAt, factsAt } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { stateAt } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { anySchedule, instant, licensed, PROFESSIONAL, scheduled } from '../facts.ts';

describe('A scheduled change holds from its instant on, by time alone', () => {
  const AT = new Date('2027-04-01T00:00:00Z');
  const facts = licensed({ plan: PROFESSIONAL, scheduled: scheduled(AT) });
  const crm = (at: Date) => entitlementAt(factsAt(facts, at), 'crm', at);

  test('one millisecond before it all is as it was; at it, what is lost says so', () => {
    expect(crm(new Date(AT.getTime() - 1))).toMatchObject({ access: 'FULL', source: 'PLAN' });
    expect(crm(AT)).toMatchObject({ access: 'NONE', reason: 'DOWNGRADED' });
    expect(entitlementAt(factsAt(facts, AT), 'fieldops', AT).reason).toBe('NOT_IN_PLAN');
  });

  test('whoever holds the course knows the answer at any instant', () => {
    fc.assert(
      fc.property(anySchedule, instant, (known, now) => {
        fc.pre(now >= known.validFrom);
        const step = courseOf(known).findLast(({ from }) => new Date(from) <= now);
        const held = factsAt(known, now);
        expect(step?.state).toBe(stateAt(held, now));
        const answers = new Map(entitlementsAt(held, now).map((answer) => [answer.feature, answer]));
        for (const key of FEATURE_KEYS) {
          expect(step?.features[key]?.access ?? 'NONE').toBe(answers.get(key)?.access);
          expect(step?.features[key]?.reason ?? 'NOT_IN_PLAN').toBe(answers.get(key)?.reason ?? 'NOT_IN_PLAN');
        }
      }),
    );
  });

  test('what a version says changes only at instants that are known before', () => {
    fc.assert(
      fc.property(anySchedule, instant, instant, (known, a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        fc.pre(from >= known.validFrom);
        if (movesBetween(known, from, to).length === 0) expect(snapshotOf(known, to)).toEqual(snapshotOf(known, from));
      }),
    );
  });
});
