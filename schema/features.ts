/**
 * The features a licence can hold. Modules stand alone; a dotted key is a part and needs its parent.
 * What a feature costs and which plan holds it is licensing's catalogue; here stands only what doors may name.
 */
export const FEATURES = {
  crm: { name: 'CRM', state: 'AVAILABLE', footprintNoun: 'contacts and leads' },
  tickets: { name: 'Tickets', state: 'AVAILABLE', footprintNoun: 'tickets' },
  projects: { name: 'Projects', state: 'AVAILABLE', footprintNoun: 'projects' },
  fieldops: { name: 'Field operations', state: 'AVAILABLE', footprintNoun: 'work orders' },
  analytics: { name: 'Analytics', state: 'AVAILABLE', footprintNoun: 'dashboards' },
  webhooks: { name: 'Webhooks', state: 'AVAILABLE', footprintNoun: 'webhook endpoints' },
  api_keys: { name: 'API keys', state: 'AVAILABLE', footprintNoun: 'API keys' },
  white_label: { name: 'White label', state: 'AVAILABLE', footprintNoun: 'brand settings' },
  partners: { name: 'Partners', state: 'AVAILABLE', footprintNoun: 'partners' },
  'analytics.advanced': { name: 'Advanced analytics', state: 'AVAILABLE', footprintNoun: 'reports' },
  'analytics.insights': { name: 'AI insights', state: 'ANNOUNCED', footprintNoun: 'insights' },
  'analytics.predictive': { name: 'Predictive analytics', state: 'ANNOUNCED', footprintNoun: 'forecasts' },
  'crm.integrations': { name: 'CRM integrations', state: 'ANNOUNCED', footprintNoun: 'integrations' },
  'billing.advanced': { name: 'Advanced billing', state: 'ANNOUNCED', footprintNoun: 'advanced billing rules' },
} as const satisfies Record<
  string,
  { name: string; state: 'AVAILABLE' | 'ANNOUNCED' | 'RETIRED'; footprintNoun: string }
>;

/** How long a trial of one feature lasts, days. */
export const FEATURE_TRIAL_DAYS = 14;

export type Feature = keyof typeof FEATURES;

/** How far a licence opens a feature: READ is what RESTRICTED leaves of it. */
export type FeatureAccess = 'NONE' | 'READ' | 'FULL';

export const FEATURE_KEYS = Object.keys(FEATURES) as Feature[];

export function isFeature(key: string): key is Feature {
  return Object.hasOwn(FEATURES, key);
}

/** The feature a dotted key is a part of; `billing.advanced` gates extras of the core and has no parent to hold. */
export function parentOf(feature: Feature): Feature | undefined {
  const parent = feature.split('.')[0] ?? '';
  return feature.includes('.') && isFeature(parent) ? parent : undefined;
}

/**
 * What becomes of use above a limit that was lowered: nothing grows until it is below, the newest are frozen, or
 * the period that runs goes on under the former limit.
 */
export type ReductionTreatment = 'NO_GROWTH' | 'FREEZE_EXCESS' | 'NEXT_PERIOD';

interface Quota {
  kind: 'GAUGE' | 'COUNTER';
  baseUnit: string;
  /** Base units in one unit of price: storage is counted in bytes and sold in gigabytes. */
  unitFactor: number;
  label: string;
  onReduction: ReductionTreatment;
}

/** Quotas a licence limits: a GAUGE counts what exists now, a COUNTER what was used since its month began. */
export const QUOTAS = {
  subscribers: {
    kind: 'GAUGE',
    baseUnit: 'subscriber',
    unitFactor: 1,
    label: 'subscribers',
    onReduction: 'NO_GROWTH',
  },
  staff_users: {
    kind: 'GAUGE',
    baseUnit: 'person',
    unitFactor: 1,
    label: 'staff users',
    onReduction: 'FREEZE_EXCESS',
  },
  devices: { kind: 'GAUGE', baseUnit: 'device', unitFactor: 1, label: 'devices', onReduction: 'NO_GROWTH' },
  webhook_endpoints: {
    kind: 'GAUGE',
    baseUnit: 'endpoint',
    unitFactor: 1,
    label: 'webhook endpoints',
    onReduction: 'FREEZE_EXCESS',
  },
  storage_gb: {
    kind: 'GAUGE',
    baseUnit: 'byte',
    unitFactor: 1_000_000_000,
    label: 'bytes of storage',
    onReduction: 'NO_GROWTH',
  },
  tickets: { kind: 'COUNTER', baseUnit: 'ticket', unitFactor: 1, label: 'tickets', onReduction: 'NEXT_PERIOD' },
  api_calls: { kind: 'COUNTER', baseUnit: 'call', unitFactor: 1, label: 'API calls', onReduction: 'NEXT_PERIOD' },
} as const satisfies Record<string, Quota>;

export type QuotaKey = keyof typeof QUOTAS;
export type QuotaPolicy = 'HARD' | 'SOFT' | 'OVERAGE';

export const QUOTA_KEYS = Object.keys(QUOTAS) as QuotaKey[];

export function isQuotaKey(key: string): key is QuotaKey {
  return Object.hasOwn(QUOTAS, key);
}
