import { type Feature, QUOTA_KEYS } from '../../schema/features.ts';
import { type EntitlementAnswer, entitlementAt } from '../../subgraphs/licensing/terms/entitlement.rules.ts';
import { stateAt } from '../../subgraphs/licensing/terms/license.rules.ts';
import { limitAt } from '../../subgraphs/licensing/terms/limit.rules.ts';
import { addOn, licensed, override, PROFESSIONAL } from '../../tests/licensing/facts.ts';
import { median, percentile, type Result } from '../setup.ts';

const [FEATURES, ADD_ONS, OVERRIDES] = [50, 20, 20];
const WARM_UP = 2_000;
const TIMES = 20_000;
const BOUND_MS = 0.1;

/** More features than the catalogue has: some are parts of a module of it, as dotted keys are. */
const KEYS = Array.from({ length: FEATURES }, (_, i) => (i % 5 === 0 ? `crm.part_${i}` : `feature_${i}`)) as Feature[];
const NOW = new Date('2027-03-01T12:00:00Z');

/** Each quota has an override and the other overrides shut a feature; each add-on brings two features and a limit. */
const FACTS = licensed({
  plan: { ...PROFESSIONAL, features: ['crm', ...KEYS.slice(0, FEATURES / 2)] },
  addOns: Array.from({ length: ADD_ONS }, (_, i) =>
    addOn(`add_on_${i}`, {
      features: [KEYS[FEATURES - 1 - i] as Feature, KEYS[i] as Feature],
      limits: [{ key: QUOTA_KEYS[i % QUOTA_KEYS.length] ?? 'devices', mode: 'ADD', amount: 10n }],
    }),
  ),
  overrides: [
    ...QUOTA_KEYS.map((key) => override(key, { policy: 'SOFT' })),
    ...Array.from({ length: OVERRIDES - QUOTA_KEYS.length }, (_, i) =>
      override(KEYS[i * 4] as string, { isEnabled: false }),
    ),
  ],
});
/** 25 by the plan, 20 more by add-ons, 12 of them shut; and what plan and add-ons allow of all quotas together. */
const EXPECTED = { open: 33, limited: 50_000_506_465n };

/** Every entitlement and every limit of one licence, from its facts. */
function resolve(): { answers: EntitlementAnswer[]; limited: bigint } {
  const state = stateAt(FACTS, NOW);
  const answers = KEYS.map((feature) => entitlementAt(FACTS, feature, NOW, state));
  const limits = QUOTA_KEYS.map((key) => limitAt(FACTS, key, NOW));
  return { answers, limited: limits.reduce((sum, { limit }) => sum + (limit ?? 0n), 0n) };
}

export function resolving(): Result[] {
  for (let i = 0; i < WARM_UP; i++) resolve();
  const took: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const startedAt = performance.now();
    const { answers, limited } = resolve();
    took.push(performance.now() - startedAt);
    const open = answers.filter(({ access }) => access === 'FULL').length;
    if (open !== EXPECTED.open || limited !== EXPECTED.limited) throw new Error(`${open} open, ${limited} allowed.`);
  }
  const middle = median(took);
  return [
    {
      what: `${FEATURES} features × ${ADD_ONS} add-ons × ${OVERRIDES} overrides, and ${QUOTA_KEYS.length} limits, resolved, median of ${TIMES.toLocaleString('en')}`,
      figure: `${(middle * 1_000).toFixed(0)} µs (p99 ${(percentile(took, 0.99) * 1_000).toFixed(0)} µs)`,
      bound: `≤ ${BOUND_MS * 1_000} µs`,
      holds: middle <= BOUND_MS,
    },
  ];
}
