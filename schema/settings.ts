export const SETTING_TYPES = [
  'TEXT',
  'INTEGER',
  'DECIMAL',
  'BOOLEAN',
  'CHOICE',
  'CHOICES',
  'DAYS',
  'HOURS',
  'IPV4_RANGE',
  'IPV6_RANGE',
  'ZONE',
  'LOCALE',
  'CURRENCY',
  'SECRET_REFERENCES',
] as const;
export type SettingType = (typeof SETTING_TYPES)[number];

/** What a tenant is registered with; some settings are these until they are set. */
export type Registered = 'zone' | 'locale' | 'currency' | 'region';

/** One setting: what it may be, and what it is until it is set. Values are texts in one spelling, here and everywhere. */
export interface SettingTerms {
  type: SettingType;
  byDefault: string;
  /** Taken from the register in the place of `byDefault`, where that says something. */
  from?: Registered;
  min?: number;
  max?: number;
  oneOf?: readonly string[];
  /** Digits behind the point. */
  places?: number;
  unit?: string;
}

const integer = (byDefault: number, min: number, max: number, unit?: string) =>
  ({ type: 'INTEGER', byDefault: String(byDefault), min, max, ...(unit ? { unit } : {}) }) as const;
const decimal = (byDefault: string, min: number, max: number, places: number, unit: string) =>
  ({ type: 'DECIMAL', byDefault, min, max, places, unit }) as const;
const flag = (byDefault: boolean) => ({ type: 'BOOLEAN', byDefault: String(byDefault) }) as const;
const choice = <const C extends string>(byDefault: NoInfer<C>, oneOf: readonly C[], from?: Registered) =>
  ({ type: 'CHOICE', byDefault, oneOf, ...(from ? { from } : {}) }) as const;
const choices = (byDefault: string, oneOf: readonly string[]) => ({ type: 'CHOICES', byDefault, oneOf }) as const;
/** @param max characters. */
const text = (byDefault: string, max: number) => ({ type: 'TEXT', byDefault, max }) as const;

const REGIONS = ['us', 'eu', 'uk', 'apac', 'canada', 'australia', 'middle_east', 'africa'] as const;
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const MOST_MINOR = 1_000_000_000_000;
const hoursOf = (byDefault: string) => decimal(byDefault, 0.25, 720, 2, 'hours');

/**
 * Every setting there is, by section (tenancy R12). A domain that needs another adds it here and reads it with
 * `ctx.setting('section.key')`.
 */
export const SETTINGS = {
  subscriber_id: {
    format: choice('uuid', ['uuid', 'sequential', 'prefix_sequential', 'custom_pattern', 'import_preserved']),
    prefix: text('SUB', 12),
    start: integer(1, 0, 1_000_000_000),
    padding: integer(6, 1, 12, 'digits'),
  },
  radius: {
    password_scheme: choice('sha256', ['sha256', 'bcrypt', 'md5', 'cleartext']),
    session_timeout_s: integer(3_600, 60, 86_400, 'seconds'),
    idle_timeout_s: integer(600, 60, 86_400, 'seconds'),
    simultaneous_use: integer(1, 1, 10, 'sessions'),
    interim_interval_s: integer(300, 60, 3_600, 'seconds'),
  },
  network: {
    vlan_min: integer(100, 1, 4_094),
    vlan_max: integer(999, 1, 4_094),
    ipv4_pool: { type: 'IPV4_RANGE', byDefault: '10.0.0.0/8' },
    ipv6_pool: { type: 'IPV6_RANGE', byDefault: '2001:db8::/32' },
    ipv6_prefix_length: integer(64, 48, 128, 'bits'),
    auto_assign: flag(true),
    ipv6_enabled: flag(true),
    auto_provision_cpe: flag(true),
  },
  compliance: {
    data_region: choice('us', REGIONS, 'region'),
    gdpr: flag(false),
    ccpa: flag(false),
    audit_days: integer(90, 30, 2_555, 'days'),
    trace_days: integer(365, 0, 730, 'days'),
    customer_days: integer(2_555, 365, 3_650, 'days'),
    anonymize_on_delete: flag(true),
  },
  portal: {
    self_service: flag(true),
    ticket_creation: flag(true),
    payment_methods: flag(true),
    usage_view: flag(true),
  },
  localization: {
    zone: { type: 'ZONE', byDefault: 'UTC', from: 'zone' },
    locale: { type: 'LOCALE', byDefault: 'en', from: 'locale' },
    currency: { type: 'CURRENCY', byDefault: 'USD', from: 'currency' },
    date_format: choice('ISO', ['ISO', 'DMY', 'MDY']),
    week_start: choice('monday', WEEKDAYS),
  },
  sla: {
    response_h_urgent: hoursOf('0.5'),
    response_h_high: hoursOf('1'),
    response_h_medium: hoursOf('4'),
    response_h_low: hoursOf('24'),
    resolution_h_urgent: hoursOf('4'),
    resolution_h_high: hoursOf('8'),
    resolution_h_medium: hoursOf('24'),
    resolution_h_low: hoursOf('72'),
    hours: { type: 'HOURS', byDefault: '09:00-17:00 Mon-Fri' },
    escalate_percent: integer(80, 50, 100, 'percent'),
  },
  service_defaults: {
    trial_days: integer(0, 0, 90, 'days'),
    cap_policy: choice('warn_only', ['warn_only', 'hard_cap', 'throttle', 'overage_billing']),
    throttle_percent: integer(10, 1, 100, 'percent'),
    grace_days: integer(7, 0, 30, 'days'),
    reconnection_fee: integer(0, 0, MOST_MINOR, 'minor units'),
    credit_limit: integer(0, 0, MOST_MINOR, 'minor units'),
  },
  tax: {
    is_enabled: flag(true),
    name: text('VAT', 40),
    rate_percent: decimal('0', 0, 100, 4, 'percent'),
    method: choice('exclusive', ['exclusive', 'inclusive', 'compound']),
    exemptions: flag(true),
  },
  billing: {
    number_pattern: text('INV-{YYYY}-{SEQ:6}', 40),
    terms_days: integer(30, 0, 120, 'days'),
    late_fee: flag(false),
    late_fee_percent: decimal('5', 0, 100, 4, 'percent'),
    late_fee_after_days: integer(5, 0, 120, 'days'),
    dunning: choice('moderate', ['gentle', 'moderate', 'aggressive']),
    auto_retry_days: { type: 'DAYS', byDefault: '3,7,14', max: 90 },
  },
  bank_accounts: {
    methods: choices('card,bank_transfer', ['card', 'bank_transfer', 'direct_debit', 'mobile_money', 'cash', 'cheque']),
    auto_reconcile: flag(true),
    providers: { type: 'SECRET_REFERENCES', byDefault: '' },
  },
} as const satisfies Record<string, Record<string, SettingTerms>>;

export type Section = keyof typeof SETTINGS;
export const SECTIONS = Object.keys(SETTINGS) as Section[];
export const isSection = (name: string): name is Section => Object.hasOwn(SETTINGS, name);

/** The terms of the settings of a section, by key. */
export const termsOf = (section: Section): Readonly<Record<string, SettingTerms>> => SETTINGS[section];

type KeysOf<S extends Section> = `${S}.${keyof (typeof SETTINGS)[S] & string}`;
/** Every setting as domains name it: `radius.interim_interval_s`. */
export type SettingKey = { [S in Section]: KeysOf<S> }[Section];

type TermsAt<K> = K extends `${infer S extends Section}.${infer N}`
  ? N extends keyof (typeof SETTINGS)[S]
    ? (typeof SETTINGS)[S][N]
    : never
  : never;
type Read<T> = T extends { type: 'INTEGER' }
  ? number
  : T extends { type: 'BOOLEAN' }
    ? boolean
    : T extends { type: 'DAYS' }
      ? number[]
      : T extends { type: 'CHOICES' | 'SECRET_REFERENCES' }
        ? string[]
        : T extends { type: 'CHOICE'; oneOf: readonly (infer C)[] }
          ? C
          : string;
/** What code gets of a setting. A decimal stays a text: rates are never floats. */
export type SettingValue<K extends SettingKey> = Read<TermsAt<K>>;

/** A section's values that were set, as they are stored: a key that was never set follows its default. */
export type SetValues = Readonly<Record<string, string>>;

/** The value a setting has while it is not set. */
export const defaultOf = ({ byDefault, from }: SettingTerms, registered: Partial<Record<Registered, string | null>>) =>
  (from && registered[from]) || byDefault;

/** A stored text as code reads it. */
export function readSetting<K extends SettingKey>(key: K, stored: string): SettingValue<K> {
  const [section, name] = key.split('.') as [Section, string];
  const { type } = termsOf(section)[name] as SettingTerms;
  const parts = stored === '' ? [] : stored.split(',');
  const read: Partial<Record<SettingType, unknown>> = {
    INTEGER: Number(stored),
    BOOLEAN: stored === 'true',
    DAYS: parts.map(Number),
    CHOICES: parts,
    SECRET_REFERENCES: parts,
  };
  return (type in read ? read[type] : stored) as SettingValue<K>;
}

/** Pairs of a section's keys of which the first may not be greater than the second. */
export const PAIRS: Partial<Record<Section, readonly (readonly [lesser: string, greater: string])[]>> = {
  network: [['vlan_min', 'vlan_max']],
  sla: ['urgent', 'high', 'medium', 'low'].map((of) => [`response_h_${of}`, `resolution_h_${of}`] as const),
};
