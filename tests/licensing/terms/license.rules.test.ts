import { endsOf, periodAt, stateAt } from '../../../subgraphs/licensing/terms/license.rules.ts';
import { licensed } from '../facts.ts';

const at = (text: string) => new Date(text);
const justBefore = (text: string) => new Date(new Date(text).getTime() - 1);

describe('The state of a licence follows from its facts and the time', () => {
  const paid = licensed({ paidUntil: at('2027-03-25T23:00:00Z') });

  test.each([
    ['ACTIVE', 'GRACE', '2027-03-25T23:00:00Z'],
    ['GRACE', 'RESTRICTED', '2027-04-01T22:00:00Z'],
    ['RESTRICTED', 'EXPIRED', '2027-04-15T22:00:00Z'],
  ])('a paid licence in Berlin goes from %s to %s at %s, over the change to summer time', (from, to, instant) => {
    expect(stateAt(paid, justBefore(instant))).toBe(from);
    expect(stateAt(paid, at(instant))).toBe(to);
  });

  const trial = licensed({ paidUntil: null, trialEndsAt: at('2027-03-10T09:30:00Z') });

  test.each([
    ['TRIAL', 'RESTRICTED', '2027-03-10T09:30:00Z'],
    ['RESTRICTED', 'EXPIRED', '2027-03-24T09:30:00Z'],
  ])('a trial nobody paid for goes from %s to %s at %s, without grace', (from, to, instant) => {
    expect(stateAt(trial, justBefore(instant))).toBe(from);
    expect(stateAt(trial, at(instant))).toBe(to);
  });

  test('a trial paid for goes over into the paid time without a gap', () => {
    const converted = licensed({ trialEndsAt: at('2027-03-10T00:00:00Z'), paidUntil: at('2027-04-10T00:00:00Z') });
    expect(stateAt(converted, justBefore('2027-03-10T00:00:00Z'))).toBe('TRIAL');
    expect(stateAt(converted, at('2027-03-10T00:00:00Z'))).toBe('ACTIVE');
    expect(stateAt(converted, at('2027-04-10T00:00:00Z'))).toBe('GRACE');
  });

  test('with renewal off there is no grace', () => {
    const stopped = licensed({ autoRenew: false, paidUntil: at('2027-03-25T23:00:00Z') });
    expect(stateAt(stopped, justBefore('2027-03-25T23:00:00Z'))).toBe('ACTIVE');
    expect(stateAt(stopped, at('2027-03-25T23:00:00Z'))).toBe('RESTRICTED');
  });

  test.each([
    [
      'a hold of level SUSPENDED closes a paid licence',
      { openHolds: ['SUSPENDED'] },
      '2027-02-01T00:00:00Z',
      'SUSPENDED',
    ],
    [
      'a hold of level RESTRICTED leaves a paid licence reading',
      { openHolds: ['RESTRICTED'] },
      '2027-02-01T00:00:00Z',
      'RESTRICTED',
    ],
    [
      'a hold of level RESTRICTED opens nothing that has expired',
      { openHolds: ['RESTRICTED'] },
      '2027-12-01T00:00:00Z',
      'EXPIRED',
    ],
    [
      'a hold of level SUSPENDED stands above an expired licence',
      { openHolds: ['SUSPENDED'] },
      '2027-12-01T00:00:00Z',
      'SUSPENDED',
    ],
    [
      'the strictest of several holds counts',
      { openHolds: ['RESTRICTED', 'SUSPENDED'] },
      '2027-02-01T00:00:00Z',
      'SUSPENDED',
    ],
    [
      'a revoked licence stays revoked whatever holds it',
      { isRevoked: true, openHolds: ['SUSPENDED'] },
      '2027-02-01T00:00:00Z',
      'REVOKED',
    ],
    ['the platform’s own plan never ends', { isEndless: true, paidUntil: null }, '2099-01-01T00:00:00Z', 'ACTIVE'],
    [
      'a licence without trial or payment is over from the start',
      { paidUntil: null },
      '2027-01-01T00:00:00Z',
      'RESTRICTED',
    ],
  ] as const)('%s', (_, over, instant, state) => {
    expect(stateAt(licensed(over as never), at(instant))).toBe(state);
  });

  test('a licence that never ends has no ends', () => {
    expect(endsOf(licensed({ isEndless: true }))).toEqual({ end: null, graceEnd: null, restrictedEnd: null });
  });
});

describe('Billing periods begin at local midnight of the anchor day', () => {
  const facts = {
    interval: 'MONTH',
    anchorDay: 31,
    zone: 'America/Denver',
    validFrom: at('2026-12-31T12:00:00Z'),
    trialEndsAt: null,
  } as const;

  test('anchor 31 is clamped to short months and remembered', () => {
    const starts = ['2027-02-10', '2027-03-10', '2027-04-10', '2027-05-10'].map(
      (day) => periodAt(facts, at(`${day}T12:00:00Z`)).start,
    );
    expect(starts.map((start) => start.toISOString())).toEqual([
      '2027-01-31T07:00:00.000Z',
      '2027-02-28T07:00:00.000Z',
      '2027-03-31T06:00:00.000Z',
      '2027-04-30T06:00:00.000Z',
    ]);
  });

  test('a yearly licence counts from the month its paid time began', () => {
    const yearly = { ...facts, interval: 'YEAR', anchorDay: 15, trialEndsAt: at('2025-06-20T00:00:00Z') } as const;
    const { start, end } = periodAt(yearly, at('2027-03-01T00:00:00Z'));
    expect([start.toISOString(), end.toISOString()]).toEqual(['2026-06-15T06:00:00.000Z', '2027-06-15T06:00:00.000Z']);
  });
});
