import fc from 'fast-check';
import { FEATURE_KEYS, type Feature, QUOTA_KEYS, type QuotaKey, type QuotaPolicy } from '../../schema/features.ts';
import type { PlanLimit } from '../../subgraphs/licensing/catalogue/plan.rules.ts';
import type { SnapshotFacts } from '../../subgraphs/licensing/licenses/license-change.rules.ts';
import type {
  AddOnFacts,
  GrantFacts,
  OverrideFacts,
  PlanFacts,
  ScheduledFacts,
} from '../../subgraphs/licensing/terms/entitlement.rules.ts';

const limit = (key: QuotaKey, amount: bigint | null, policy: QuotaPolicy = 'HARD', unitRate: string | null = null) => ({
  ...{ key, limit: amount, policy, softMarginPercent: 0, unitRate, overageCap: null },
});
const GB = 1_000_000_000n;

const plan = (code: string, features: Feature[], limits: PlanLimit[]): PlanFacts => ({
  ...{ id: `plan ${code}`, code, number: 1, features, limits },
});

/** The plans of R3; a database test holds them against the catalogue. */
export const STARTER = plan(
  'starter',
  ['tickets'],
  [
    limit('subscribers', 500n, 'HARD', '0.10'),
    limit('staff_users', 3n, 'HARD', '5.00'),
    limit('devices', 25n),
    limit('tickets', 100n),
    limit('api_calls', 100_000n),
    limit('storage_gb', 10n * GB),
    limit('webhook_endpoints', 0n),
  ],
);
export const PROFESSIONAL = plan(
  'professional',
  ['tickets', 'crm', 'projects', 'analytics', 'webhooks', 'api_keys'],
  [
    limit('subscribers', 5_000n, 'HARD', '0.08'),
    limit('staff_users', 10n, 'HARD', '5.00'),
    limit('devices', 250n),
    limit('tickets', 1_000n),
    limit('api_calls', 500_000n, 'OVERAGE', '0.001'),
    limit('storage_gb', 50n * GB, 'OVERAGE', '0.50'),
    limit('webhook_endpoints', 5n),
  ],
);
export const ENTERPRISE = plan(
  'enterprise',
  [
    'crm',
    'tickets',
    'projects',
    'fieldops',
    'analytics',
    'webhooks',
    'api_keys',
    'white_label',
    'partners',
    'analytics.advanced',
  ],
  [
    limit('subscribers', null),
    limit('staff_users', null),
    limit('devices', null),
    limit('tickets', null),
    limit('api_calls', null),
    limit('storage_gb', 500n * GB, 'OVERAGE', '0.30'),
    limit('webhook_endpoints', 25n),
  ],
);

/** A paid starter licence in Berlin, from January to June 2027, with whatever is different. */
export const licensed = (over: Partial<SnapshotFacts> = {}): SnapshotFacts => ({
  zone: 'Europe/Berlin',
  validFrom: new Date('2027-01-01T00:00:00Z'),
  trialEndsAt: null,
  paidUntil: new Date('2027-06-01T00:00:00Z'),
  autoRenew: true,
  interval: 'MONTH',
  graceDays: 7,
  restrictedDays: 14,
  isEndless: false,
  isRevoked: false,
  openHolds: [],
  plan: STARTER,
  addOns: [],
  overrides: [],
  grants: [],
  topUps: [],
  observeUntil: null,
  ...over,
});

export const override = (key: string, over: Partial<OverrideFacts> = {}): OverrideFacts => ({
  ...{ id: `override ${key}`, key, isEnabled: null, limit: null, isUnlimited: false, policy: null },
  ...{ softMarginPercent: null, unitRate: null, expiresAt: null, ...over },
});

export const grant = (feature: Feature, over: Partial<GrantFacts> = {}): GrantFacts => ({
  ...{ id: `grant ${feature}`, feature, startsAt: new Date('2027-01-01T00:00:00Z'), expiresAt: null, source: 'SALES' },
  ...over,
});

export const addOn = (code: string, over: Partial<AddOnFacts> = {}): AddOnFacts => ({
  ...{ id: `add-on ${code}`, code, version: 1, quantity: 1, startsAt: new Date('2027-01-01T00:00:00Z'), endsAt: null },
  ...{ features: [], limits: [], meter: null, ...over },
});

/** An instant of the first half of 2027, on a coarse grid, so that instants often coincide. */
export const instant = fc
  .integer({ min: 0, max: 800 })
  .map((step) => new Date(Date.UTC(2027, 0, 1) + step * 6 * 3_600_000));
const maybe = <T>(what: fc.Arbitrary<T>) => fc.option(what, { nil: null });
const features = fc.uniqueArray(fc.constantFrom(...FEATURE_KEYS), { maxLength: 8 });
const amount = maybe(fc.bigInt({ min: 0n, max: 2_000n }));

export const anyPlan: fc.Arbitrary<PlanFacts> = fc
  .record({
    features,
    limits: fc.uniqueArray(fc.tuple(fc.constantFrom(...QUOTA_KEYS), amount), { selector: ([key]) => key }),
  })
  .map((made) =>
    plan(
      'any',
      made.features,
      made.limits.map(([key, most]) => limit(key, most)),
    ),
  );

const anyAddOn: fc.Arbitrary<AddOnFacts> = fc
  .record({
    startsAt: instant,
    endsAt: maybe(instant),
    quantity: fc.integer({ min: 1, max: 5 }),
    features: fc.uniqueArray(fc.constantFrom(...FEATURE_KEYS), { maxLength: 2 }),
    limits: fc.array(
      fc.record({ key: fc.constantFrom(...QUOTA_KEYS), mode: fc.constantFrom('ADD' as const, 'SET' as const), amount }),
      { maxLength: 2 },
    ),
  })
  .map((made) => addOn('any', made));

const anyOverride: fc.Arbitrary<OverrideFacts> = fc.oneof(
  fc
    .record({ key: fc.constantFrom(...FEATURE_KEYS), isEnabled: maybe(fc.boolean()), expiresAt: maybe(instant) })
    .map((o) => override(o.key, o)),
  fc
    .record({ key: fc.constantFrom(...QUOTA_KEYS), limit: amount, expiresAt: maybe(instant) })
    .map((o) => override(o.key, o)),
);

const anyGrant: fc.Arbitrary<GrantFacts> = fc
  .record({
    feature: fc.constantFrom(...FEATURE_KEYS),
    startsAt: instant,
    expiresAt: maybe(instant),
    source: fc.constantFrom('TRIAL' as const, 'SALES' as const),
  })
  .map(({ feature, ...over }) => grant(feature, over));

/** Any licence: every fact may be there or not, and instants may fall together or lie the wrong way round. */
export const anyFacts: fc.Arbitrary<SnapshotFacts> = fc
  .record({
    zone: fc.constantFrom('Europe/Berlin', 'America/Denver', 'Asia/Manila'),
    validFrom: instant,
    trialEndsAt: maybe(instant),
    paidUntil: maybe(instant),
    autoRenew: fc.boolean(),
    graceDays: fc.integer({ min: 0, max: 30 }),
    restrictedDays: fc.integer({ min: 0, max: 60 }),
    isEndless: fc.boolean(),
    isRevoked: fc.boolean(),
    openHolds: fc.uniqueArray(fc.constantFrom('RESTRICTED' as const, 'SUSPENDED' as const)),
    plan: anyPlan,
    addOns: fc.array(anyAddOn, { maxLength: 3 }),
    overrides: fc.uniqueArray(anyOverride, { selector: ({ key }) => key, maxLength: 5 }),
    grants: fc.array(anyGrant, { maxLength: 4 }),
    observeUntil: maybe(instant),
  })
  .map((made) => licensed(made));

/** What is sold from an instant on, with the days of the seeded plans. */
export const scheduled = (at: Date, plan = STARTER): ScheduledFacts => ({
  ...{ at, plan, addOns: [], interval: 'MONTH', graceDays: 7, restrictedDays: 14 },
});

/** Any licence for which another plan is scheduled. */
export const anySchedule: fc.Arbitrary<SnapshotFacts> = fc
  .tuple(anyFacts, anyPlan, instant)
  .map(([facts, sold, at]) => ({ ...facts, scheduled: scheduled(at, sold) }));
