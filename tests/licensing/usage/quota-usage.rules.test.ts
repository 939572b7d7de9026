import { limitAt } from '../../../subgraphs/licensing/terms/limit.rules.ts';
import { usageOf } from '../../../subgraphs/licensing/usage/quota-usage.rules.ts';
import { ENTERPRISE, licensed, PROFESSIONAL } from '../facts.ts';

const NOW = new Date('2027-03-10T00:00:00Z');
const counted = (used: bigint, periodEnd: string | null = null) => ({
  ...{
    used,
    anchorDay: 31,
    zone: 'Europe/Berlin',
    periodStart: null,
    periodEnd: periodEnd ? new Date(periodEnd) : null,
  },
});
const answer = (key: 'api_calls' | 'tickets' | 'devices', plan = PROFESSIONAL) => limitAt(licensed({ plan }), key, NOW);

describe('Use is shown against its limit', () => {
  test('what is over a limit that charges is shown as overage', () => {
    expect(usageOf(answer('api_calls'), counted(512_345n, '2027-03-31T00:00:00Z'), 0n, NOW)).toMatchObject({
      ...{ limit: 500_000n, used: 512_345n, percent: 102, overage: 12_345n, unitRate: '0.001', policy: 'OVERAGE' },
    });
  });

  test('a limit that refuses has no overage, and a percent is rounded down', () => {
    expect(usageOf(answer('devices'), counted(249n), 0n, NOW)).toMatchObject({ percent: 99, overage: 0n });
  });

  test('a counter whose period is over begins anew at the anchor, though nobody has used it yet', () => {
    const { used, periodStart, periodEnd } = usageOf(answer('tickets'), counted(79n, '2027-02-27T23:00:00Z'), 0n, NOW);
    expect([used, periodStart?.toISOString(), periodEnd?.toISOString()]).toEqual([
      0n,
      '2027-02-27T23:00:00.000Z',
      '2027-03-30T22:00:00.000Z',
    ]);
  });

  test('what is unlimited has no percent', () => {
    expect(usageOf(answer('devices', ENTERPRISE), counted(9_999n), 0n, NOW)).toMatchObject({
      isUnlimited: true,
      limit: null,
      percent: null,
      overage: 0n,
    });
  });

  test('a quota nobody has counted is unused', () => {
    expect(usageOf(answer('devices'), undefined, 7n, NOW)).toMatchObject({
      used: 0n,
      topUpRemaining: 7n,
      percent: 0,
      periodEnd: null,
    });
  });
});
