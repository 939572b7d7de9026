import 'reflect-metadata';
import fc from 'fast-check';
import {
  changedBetween,
  enabledIn,
  endedBetween,
  isChangeKey,
  movesBetween,
  nextMove,
  type SnapshotFacts,
  snapshotOf,
  startedBetween,
} from '../../../subgraphs/licensing/licenses/license-change.rules.ts';
import { courseOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import { addOn, anyFacts, grant, instant, licensed, override, PROFESSIONAL } from '../facts.ts';

const MARCH = new Date('2027-03-01T00:00:00Z');
const MAY = new Date('2027-05-01T00:00:00Z');
const changed = (before: SnapshotFacts, after: SnapshotFacts, at = MARCH) =>
  changedBetween(snapshotOf(before, at), snapshotOf(after, at));

describe('A new version names what it changed', () => {
  const professional = licensed({ plan: PROFESSIONAL });
  test.each([
    [
      'an override that shuts crm',
      professional,
      licensed({ plan: PROFESSIONAL, overrides: [override('crm', { isEnabled: false })] }),
      ['features.crm'],
    ],
    [
      'a limit lifted for one tenant',
      licensed(),
      licensed({ overrides: [override('subscribers', { limit: 600n })] }),
      ['limits.subscribers'],
    ],
    [
      'an add-on',
      licensed(),
      licensed({ addOns: [addOn('white_label', { features: ['white_label'] })] }),
      ['addOns.white_label', 'features.white_label'],
    ],
    [
      'a payment',
      licensed(),
      licensed({ paidUntil: new Date('2027-07-01T00:00:00Z') }),
      ['graceEndsAt', 'restrictedEndsAt', 'validUntil'],
    ],
    [
      'a grant that runs longer',
      licensed({ grants: [grant('crm', { expiresAt: MAY })] }),
      licensed({ grants: [grant('crm')] }),
      ['features.crm'],
    ],
    [
      'a grant beneath an override that will end',
      licensed({ overrides: [override('crm', { isEnabled: false, expiresAt: MAY })] }),
      licensed({ overrides: [override('crm', { isEnabled: false, expiresAt: MAY })], grants: [grant('crm')] }),
      ['features.crm'],
    ],
    ['nothing', licensed(), licensed(), []],
    ['a second hold', licensed({ openHolds: ['SUSPENDED'] }), licensed({ openHolds: ['SUSPENDED', 'SUSPENDED'] }), []],
  ])('%s', (_, before, after, keys) => {
    expect(changed(before, after)).toEqual(keys);
  });

  test('a hold names the state and every feature it shuts, each with its reason', () => {
    const held = licensed({ openHolds: ['SUSPENDED'] });
    expect(changed(licensed(), held)).toEqual(['features.tickets', 'state']);
    const [before, after] = [snapshotOf(licensed(), MARCH), snapshotOf(held, MARCH)];
    expect(endedBetween(before, after)).toEqual([{ feature: 'tickets', reason: 'SUSPENDED' }]);
    expect(startedBetween(after, before)).toEqual([{ feature: 'tickets', source: 'PLAN' }]);
    expect([enabledIn(before), enabledIn(after)]).toEqual([['tickets'], []]);
  });

  test('whoever says nothing new says nothing else later: equal versions have equal courses', () => {
    fc.assert(
      fc.property(anyFacts, anyFacts, fc.constantFrom('grants', 'overrides', 'addOns', 'trialEndsAt'), (a, b, part) => {
        const other = { ...a, [part]: b[part] };
        if (changed(a, other, a.validFrom).length === 0) expect(courseOf(other)).toEqual(courseOf(a));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('What time alone changes is written down for each instant', () => {
  const facts = licensed({ plan: PROFESSIONAL, paidUntil: new Date('2027-03-25T23:00:00Z') });

  test('a sweep that comes late finds every move it missed, in order', () => {
    const moves = movesBetween(facts, MARCH, new Date('2027-04-10T00:00:00Z'));
    expect(moves.map((at) => at.toISOString())).toEqual(['2027-03-25T23:00:00.000Z', '2027-04-01T22:00:00.000Z']);
    expect(movesBetween(facts, new Date('2027-04-10T00:00:00Z'), new Date('2027-04-11T00:00:00Z'))).toEqual([]);
  });

  test('the next move is the next instant that changes something', () => {
    expect(nextMove(facts, MARCH)?.toISOString()).toBe('2027-03-25T23:00:00.000Z');
    expect(nextMove(facts, new Date('2027-05-01T00:00:00Z'))).toBeNull();
    fc.assert(
      fc.property(anyFacts, instant, (any, now) => {
        const next = nextMove(any, now);
        if (next) expect(changedBetween(snapshotOf(any, now), snapshotOf(any, next))).not.toEqual([]);
      }),
    );
  });
});

test.each([
  ['features.crm', true],
  ['limits.subscribers', true],
  ['addOns.white_label', true],
  ['validUntil', true],
  ['features.crn', false],
  ['features', false],
  ["x'; drop table", false],
])('%s as a part of a licence: %p', (key, is) => {
  expect(isChangeKey(key)).toBe(is);
});
