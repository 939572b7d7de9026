/**
 * The features a licence can hold. Modules stand alone; a dotted key is a part and needs its parent.
 * What a feature costs and which plan holds it is licensing's catalogue; here stands only what doors may name.
 */
export const FEATURES = {
  crm: { name: 'CRM', state: 'AVAILABLE' },
  tickets: { name: 'Tickets', state: 'AVAILABLE' },
  projects: { name: 'Projects', state: 'AVAILABLE' },
  fieldops: { name: 'Field operations', state: 'AVAILABLE' },
  analytics: { name: 'Analytics', state: 'AVAILABLE' },
  webhooks: { name: 'Webhooks', state: 'AVAILABLE' },
  api_keys: { name: 'API keys', state: 'AVAILABLE' },
  white_label: { name: 'White label', state: 'AVAILABLE' },
  partners: { name: 'Partners', state: 'AVAILABLE' },
  'analytics.advanced': { name: 'Advanced analytics', state: 'AVAILABLE' },
  'analytics.insights': { name: 'AI insights', state: 'ANNOUNCED' },
  'analytics.predictive': { name: 'Predictive analytics', state: 'ANNOUNCED' },
  'crm.integrations': { name: 'CRM integrations', state: 'ANNOUNCED' },
  'billing.advanced': { name: 'Advanced billing', state: 'ANNOUNCED' },
} as const satisfies Record<string, { name: string; state: 'AVAILABLE' | 'ANNOUNCED' | 'RETIRED' }>;

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

/** Quotas a licence limits: a GAUGE counts what exists now, a COUNTER what was used since its period began. */
export const QUOTAS = {
  subscribers: { kind: 'GAUGE', baseUnit: 'subscriber', label: 'subscribers' },
  staff_users: { kind: 'GAUGE', baseUnit: 'person', label: 'staff users' },
  devices: { kind: 'GAUGE', baseUnit: 'device', label: 'devices' },
  webhook_endpoints: { kind: 'GAUGE', baseUnit: 'endpoint', label: 'webhook endpoints' },
  storage_gb: { kind: 'GAUGE', baseUnit: 'byte', label: 'bytes of storage' },
  tickets: { kind: 'COUNTER', baseUnit: 'ticket', label: 'tickets' },
  api_calls: { kind: 'COUNTER', baseUnit: 'call', label: 'API calls' },
} as const satisfies Record<string, { kind: 'GAUGE' | 'COUNTER'; baseUnit: string; label: string }>;

export type QuotaKey = keyof typeof QUOTAS;
export type QuotaPolicy = 'HARD' | 'SOFT' | 'OVERAGE';

export const QUOTA_KEYS = Object.keys(QUOTAS) as QuotaKey[];

export function isQuotaKey(key: string): key is QuotaKey {
  return Object.hasOwn(QUOTAS, key);
}
