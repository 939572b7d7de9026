import 'reflect-metadata';
import fc from 'fast-check';
import { nextMove, snapshotOf } from '../../../subgraphs/licensing/licenses/license-change.rules.ts';
import { courseOf } from '../../../subgraphs/licensing/terms/course.rules.ts';
import { entitlementsAt } from '../../../subgraphs/licensing/terms/entitlement.rules.ts';
import { nextLapse } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { anyFacts, instant, licensed, override } from '../facts.ts';

describe('A revoked licence', () => {
  const anyRevoked = anyFacts.map((facts) => ({ ...facts, isRevoked: true, test: undefined }));

  test('says REVOKED of every feature, at every instant, whatever stands on it', () => {
    fc.assert(
      fc.property(anyRevoked, instant, (facts, now) => {
        for (const { access, source, sourceId, reason, expiresAt } of entitlementsAt(facts, now))
          expect([access, source, sourceId, reason, expiresAt]).toEqual(['NONE', 'DEFAULT', null, 'REVOKED', null]);
        expect(snapshotOf(facts, now).state).toBe('REVOKED');
      }),
    );
  });

  test('is not changed by time: gateways hold one step of it, and no version follows by itself', () => {
    fc.assert(
      fc.property(anyRevoked, instant, (facts, now) => {
        expect(courseOf(facts)).toHaveLength(1);
        expect(nextMove(facts, now)).toBeNull();
        expect(nextLapse(facts, null)).toBeNull();
      }),
    );
  });
});

test('A revoked licence keeps the limits it had when it was revoked', () => {
  const [before, after] = ['2027-03-01T00:00:00Z', '2027-04-02T00:00:00Z'].map((text) => new Date(text)) as [
    Date,
    Date,
  ];
  const lifted = override('devices', { limit: 90n, expiresAt: new Date('2027-04-01T00:00:00Z') });
  const facts = licensed({ isRevoked: true, revokedAt: before, overrides: [lifted] });
  expect(limitAt(facts, 'devices', after)).toMatchObject({ limit: 90n, source: 'OVERRIDE' });
  expect(limitAt({ ...facts, isRevoked: false, revokedAt: null }, 'devices', after)).toMatchObject({ limit: 25n });
  expect(snapshotOf(facts, after)).toEqual(snapshotOf(facts, before));
});

describe('A licence lapses 30 local days after it expired', () => {
  const at = (text: string) => new Date(text);
  const paid = licensed({ paidUntil: at('2027-02-22T23:00:00Z') });

  test.each([
    ['paid, after 7 days of grace and 14 for reading, over the change of clocks', paid, '2027-04-14T22:00:00.000Z'],
    ['that does not renew, without grace', { ...paid, autoRenew: false }, '2027-04-07T22:00:00.000Z'],
    ['never paid', licensed({ paidUntil: null, trialEndsAt: at('2027-01-31T23:00:00Z') }), '2027-03-16T23:00:00.000Z'],
    ['held, underneath', { ...paid, openHolds: ['SUSPENDED' as const] }, '2027-04-14T22:00:00.000Z'],
  ])('one %s', (_, facts, lapses) => {
    expect(nextLapse(facts, null)?.toISOString()).toBe(lapses);
  });

  test('of which it is told once for each end', () => {
    expect(nextLapse(paid, at('2027-03-15T23:00:00Z'))).toBeNull();
    expect(nextLapse({ ...paid, paidUntil: at('2027-05-31T22:00:00Z') }, at('2027-03-15T23:00:00Z'))).not.toBeNull();
  });

  test('one that is endless never does', () => {
    expect(nextLapse({ ...paid, isEndless: true }, null)).toBeNull();
  });
});
