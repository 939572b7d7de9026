import { MAX_USE } from '../../../subgraphs/_kernel/quota.rules.ts';
import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { type CountedUse, usageOf } from '../../../subgraphs/licensing/usage/quota-usage.rules.ts';
import { ENTERPRISE, licensed, PROFESSIONAL } from '../facts.ts';

const NOW = new Date('2027-03-10T00:00:00Z');
const counted = (used: bigint, periodEnd: string | null = null, over: Partial<CountedUse> = {}): CountedUse => ({
  ...{
    used,
    toppedUp: 0n,
    topUps: [],
    ...{ limit: 0n, policy: 'HARD', marginPercent: 0, overageCap: null, unitRate: null, next: null },
    anchorDay: 31,
    zone: 'Europe/Berlin',
    periodStart: null,
    periodEnd: periodEnd ? new Date(periodEnd) : null,
  },
  ...over,
});
const topUp = (remaining: bigint, rolloverMax = 0n) => ({
  ...{
    grantId: 'a',
    remaining,
    priority: 50,
    startsAt: new Date('2027-02-01T00:00:00Z'),
    expiresAt: null,
    rolloverMax,
  },
});
const answer = (key: 'api_calls' | 'tickets' | 'devices', plan = PROFESSIONAL) => limitAt(licensed({ plan }), key, NOW);

describe('Use is shown against its limit', () => {
  test('what is over a limit that charges is shown as overage', () => {
    expect(usageOf(answer('api_calls'), counted(512_345n, '2027-03-31T00:00:00Z'), NOW)).toMatchObject({
      ...{ limit: 500_000n, used: 512_345n, percent: 102, overage: 12_345n, unitRate: '0.001', policy: 'OVERAGE' },
    });
  });

  test('a limit that refuses has no overage, and a percent is rounded down', () => {
    expect(usageOf(answer('devices'), counted(249n), NOW)).toMatchObject({ percent: 99, overage: 0n });
  });

  test('a counter whose period is over begins anew at the anchor, though nobody has used it yet', () => {
    const { used, periodStart, periodEnd } = usageOf(answer('tickets'), counted(79n, '2027-02-27T23:00:00Z'), NOW);
    expect([used, periodStart?.toISOString(), periodEnd?.toISOString()]).toEqual([
      0n,
      '2027-02-27T23:00:00.000Z',
      '2027-03-30T22:00:00.000Z',
    ]);
  });

  test('what top-ups have paid for is no overage, and what is left of them is shown', () => {
    const use = counted(512_345n, '2027-03-31T00:00:00Z', { toppedUp: 10_000n, topUps: [topUp(70n)] });
    expect(usageOf(answer('api_calls'), use, NOW)).toMatchObject({ overage: 2_345n, topUpRemaining: 70n });
  });

  test('a period that begins is shown with what its top-ups may carry over', () => {
    const use = counted(79n, '2027-03-01T00:00:00Z', { topUps: [topUp(70n, 20n), topUp(7n, 20n), topUp(5n)] });
    expect(usageOf(answer('tickets'), use, NOW)).toMatchObject({ used: 0n, topUpRemaining: 27n });
  });

  test('use far over a limit of one, and top-ups beyond all counting, are shown as far as figures go', () => {
    const use = counted(40_000_000_000n, null, { topUps: [topUp(MAX_USE), topUp(MAX_USE)] });
    expect(usageOf({ ...answer('devices'), limit: 1n }, use, NOW)).toMatchObject({
      ...{ percent: 2_147_483_647, used: 40_000_000_000n, topUpRemaining: MAX_USE },
    });
  });

  test('what is unlimited has no percent', () => {
    expect(usageOf(answer('devices', ENTERPRISE), counted(9_999n), NOW)).toMatchObject({
      isUnlimited: true,
      limit: null,
      percent: null,
      overage: 0n,
    });
  });

  test('a quota nobody has counted is unused', () => {
    expect(usageOf(answer('devices'), undefined, NOW)).toMatchObject({
      used: 0n,
      topUpRemaining: 0n,
      percent: 0,
      periodEnd: null,
    });
  });
});
