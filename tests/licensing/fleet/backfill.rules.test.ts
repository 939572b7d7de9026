import fc from 'fast-check';
import { QUOTA_KEYS, type QuotaKey } from '../../../schema/features.ts';
import { liftedLimits } from '../../../subgraphs/licensing/fleet/backfill.rules.ts';
import { ENTERPRISE, PROFESSIONAL, STARTER } from '../facts.ts';

const used = (figures: Partial<Record<QuotaKey, bigint>>) => new Map(Object.entries(figures)) as Map<QuotaKey, bigint>;

describe('What a first licence is lifted to', () => {
  test.each([
    ['over the limit: to the use', PROFESSIONAL, { subscribers: 5_320n }, [{ key: 'subscribers', limit: 5_320n }]],
    ['at the limit: nothing', PROFESSIONAL, { subscribers: 5_000n }, []],
    ['below the limit: nothing', PROFESSIONAL, { subscribers: 12n, devices: 250n }, []],
    ['nothing known: nothing', PROFESSIONAL, {}, []],
    [
      'of a quota the plan gives nothing of',
      STARTER,
      { webhook_endpoints: 1n },
      [{ key: 'webhook_endpoints', limit: 1n }],
    ],
    [
      'of what is charged over its limit, too',
      PROFESSIONAL,
      { storage_gb: 60_000_000_000n },
      [{ key: 'storage_gb', limit: 60_000_000_000n }],
    ],
    ['of what is unlimited: nothing', ENTERPRISE, { subscribers: 1_000_000n }, []],
  ] as const)('%s', (_what, plan, figures, lifted) => {
    expect(liftedLimits(plan.limits, used(figures))).toEqual(lifted);
  });

  test('nothing that worked stops, and nothing is given beyond it', () => {
    const figures = fc.uniqueArray(fc.tuple(fc.constantFrom(...QUOTA_KEYS), fc.bigInt(0n, 10n ** 12n)), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(fc.constantFrom(STARTER, PROFESSIONAL, ENTERPRISE), figures, (plan, rows) => {
        const lifted = new Map(liftedLimits(plan.limits, new Map(rows)).map(({ key, limit }) => [key, limit]));
        for (const [key, inUse] of rows) {
          const sold = plan.limits.find((limit) => limit.key === key)?.limit ?? null;
          const most = lifted.get(key) ?? sold;
          expect(most === null || inUse <= most).toBe(true);
          if (lifted.has(key)) expect(lifted.get(key)).toBe(inUse);
        }
      }),
    );
  });
});
