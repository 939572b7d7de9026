import fc from 'fast-check';
import { Refusal } from '../../../schema/errors.ts';
import {
  checkVersions,
  migrationAt,
  migrationHash,
  migrationOutcome,
} from '../../../subgraphs/licensing/changes/plan-migration.rules.ts';

const at = (text: string) => new Date(text);
const monthly = {
  ...{ interval: 'MONTH' as const, anchorDay: 31, zone: 'Europe/Berlin', validFrom: at('2026-01-31T00:00:00Z') },
  ...{ trialEndsAt: null, periodOrigin: null },
};

describe('What an order to move licences does with one', () => {
  const base = { state: 'ACTIVE', direction: 'UPGRADE', hasWaitingChange: false } as const;
  test.each([
    ['an upgrade, asked for now', base, 'NOW', 'MOVED'],
    ['an upgrade in a trial, asked for now', { ...base, state: 'TRIAL' }, 'NOW', 'MOVED'],
    ['an upgrade, asked for the end of the period', base, 'PERIOD_END', 'SCHEDULED'],
    ['an upgrade while a bill is overdue', { ...base, state: 'GRACE' }, 'NOW', 'SCHEDULED'],
    ['a downgrade, asked for now', { ...base, direction: 'DOWNGRADE' }, 'NOW', 'SCHEDULED'],
    ['something gained and something lost', { ...base, direction: 'MIXED' }, 'NOW', 'SCHEDULED'],
    ['another price alone', { ...base, direction: null }, 'NOW', 'SCHEDULED'],
    ['a licence that waits for a change of its own', { ...base, hasWaitingChange: true }, 'NOW', 'LEFT'],
    ['a restricted licence', { ...base, state: 'RESTRICTED' }, 'NOW', 'LEFT'],
    ['a suspended licence', { ...base, state: 'SUSPENDED' }, 'PERIOD_END', 'LEFT'],
    ['an expired licence', { ...base, state: 'EXPIRED' }, 'PERIOD_END', 'LEFT'],
  ] as const)('%s', (_what, facts, asked, outcome) => {
    expect(migrationOutcome(facts, asked)).toBe(outcome);
  });

  // Berlin, anchor 31: periods begin on 03-31, 04-30, 05-31, 06-30, at midnight.
  test.each([
    ['an upgrade at the end of what is billed', 'UPGRADE', '2027-03-17T12:00:00Z', '2027-03-30T22:00:00Z'],
    ['anything else at the first end after 30 days', 'DOWNGRADE', '2027-03-17T12:00:00Z', '2027-04-29T22:00:00Z'],
    ['a month later when noticed a day too late', 'MIXED', '2027-03-31T12:00:00Z', '2027-05-30T22:00:00Z'],
    ['exactly 30 days before: in time', null, '2027-03-29T22:00:00Z', '2027-04-29T22:00:00Z'],
    ['a millisecond less: not in time', null, '2027-03-30T22:00:00.001Z', '2027-05-30T22:00:00Z'],
  ] as const)('%s', (_what, direction, now, expected) => {
    expect(migrationAt(monthly, at('2027-03-30T22:00:00Z'), direction, at(now)).toISOString()).toBe(
      at(expected).toISOString(),
    );
  });

  test('a yearly licence is moved at the end of a year', () => {
    const yearly = { ...monthly, interval: 'YEAR' as const, anchorDay: 15 };
    const [end, next] = [at('2027-01-14T23:00:00Z'), at('2028-01-14T23:00:00Z')];
    expect(migrationAt(yearly, end, null, at('2026-12-01T00:00:00Z'))).toEqual(end);
    expect(migrationAt(yearly, end, null, at('2026-12-20T00:00:00Z'))).toEqual(next);
  });

  test('never before what is billed, and never with less notice', () => {
    const [first, last] = [at('2027-01-01T00:00:00Z').getTime(), at('2029-01-01T00:00:00Z').getTime()];
    fc.assert(
      fc.property(fc.integer({ min: first, max: last }), fc.integer({ min: 0, max: 40 }), (now, days) => {
        const askedUntil = new Date(now + days * 86_400_000);
        const effectiveAt = migrationAt(monthly, askedUntil, null, new Date(now)).getTime();
        expect(effectiveAt).toBeGreaterThanOrEqual(askedUntil.getTime());
        expect(effectiveAt - now).toBeGreaterThanOrEqual(30 * 86_400_000 - 3_600_000); // an hour where summer time begins
      }),
    );
  });
});

describe('What an order is', () => {
  const order = {
    ...{ from: 'professional@1', to: 'professional@2', timing: 'NOW' as const },
    parts: [
      { tenantId: 'a', direction: 'UPGRADE' as const },
      { tenantId: 'b', direction: null },
    ],
  };
  test('the order of its licences does not matter; anything else makes another one', () => {
    const hash = migrationHash(order);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(migrationHash({ ...order, parts: order.parts.toReversed() })).toBe(hash);
    for (const other of [
      { ...order, to: 'professional@3' },
      { ...order, timing: 'PERIOD_END' as const },
      { ...order, parts: order.parts.slice(1) },
      { ...order, parts: order.parts.map((part) => ({ ...part, direction: 'MIXED' as const })) },
    ])
      expect(migrationHash(other)).not.toBe(hash);
  });

  const version = (id: string, status: 'DRAFT' | 'PUBLISHED' | 'RETIRED', isEndless = false) => ({
    id,
    status,
    isEndless,
  });
  test.each([
    ['the same version', version('a', 'PUBLISHED'), version('a', 'PUBLISHED'), 'INVALID', 'toVersionId'],
    ['to a draft', version('a', 'RETIRED'), version('b', 'DRAFT'), 'INVALID_STATE', 'toVersionId'],
    ['to a retired version', version('a', 'RETIRED'), version('b', 'RETIRED'), 'INVALID_STATE', 'toVersionId'],
    [
      'from the platform’s own',
      version('a', 'PUBLISHED', true),
      version('b', 'PUBLISHED'),
      'INVALID_STATE',
      'fromVersionId',
    ],
  ])('%s is refused', (_what, from, to, code, field) => {
    let refused: Refusal | undefined;
    try {
      checkVersions(from, to);
    } catch (error) {
      refused = error as Refusal;
    }
    expect(refused).toBeInstanceOf(Refusal);
    expect([refused?.code, refused?.field]).toEqual([code, field]);
  });
});
