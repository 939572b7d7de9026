import { badInput, Refusal } from '../../../schema/errors.ts';
import { looksSecret, spell } from '../../../schema/setting-values.ts';
import {
  defaultOf,
  isSection,
  PAIRS,
  type Registered,
  SECTIONS,
  type Section,
  type SettingTerms,
  type SetValues,
  termsOf,
} from '../../../schema/settings.ts';

/** What the tenant is registered with; defaults come from it. */
export type Register = Partial<Record<Registered, string | null>>;

export interface AskedChange {
  key: string;
  value: string;
}

/** The sections somebody wants to see, all where none is named. Throws BAD_USER_INPUT for one there is not. */
export function sectionsOf(names: readonly string[] | null | undefined): Section[] {
  const wanted = [...new Set(names ?? SECTIONS)];
  return wanted.map((name) => {
    if (!isSection(name)) throw badInput(`There is no section ${name.slice(0, 40)}.`);
    return name;
  });
}

/** The section a change names. Refuses with INVALID one there is not. */
export function sectionNamed(name: string): Section {
  if (!isSection(name)) throw new Refusal('INVALID', `There is no section ${name.slice(0, 40)}.`, 'section');
  return name;
}

const known = (section: Section, key: string): SettingTerms => {
  const terms = Object.hasOwn(termsOf(section), key) ? termsOf(section)[key] : undefined;
  if (!terms) throw new Refusal('INVALID', `There is no setting ${key.slice(0, 40)} in ${section}.`, key.slice(0, 40));
  return terms;
};

/** A value in its one spelling. Refuses with INVALID and the key what is a secret, of another kind, or out of range. */
export function checkValue(section: Section, { key, value }: AskedChange): string {
  const terms = known(section, key);
  const isText = terms.type === 'TEXT' || terms.type === 'SECRET_REFERENCES';
  const spelled = spell(value, terms);
  if (isText && (looksSecret(value) || (spelled === undefined && terms.type === 'SECRET_REFERENCES')))
    throw new Refusal('INVALID', 'Store a reference, not the secret.', key);
  if (spelled === undefined) throw new Refusal('INVALID', `${key} ${wanted(terms)}.`, key);
  return spelled;
}

/** What a value has to be, as the end of a sentence. */
function wanted({ type, min, max, oneOf, places, unit }: SettingTerms): string {
  const range = `from ${min} to ${max}${unit ? ` ${unit}` : ''}`;
  switch (type) {
    case 'INTEGER':
      return `is a whole number ${range}`;
    case 'DECIMAL':
      return `is a number ${range} with at most ${places} places`;
    case 'BOOLEAN':
      return 'is true or false';
    case 'CHOICE':
      return `is one of ${oneOf?.join(', ')}`;
    case 'CHOICES':
      return `are some of ${oneOf?.join(', ')}`;
    case 'TEXT':
      return `has 1 to ${max} characters`;
    case 'DAYS':
      return `are days from 1 to ${max}, ascending, such as 3,7,14`;
    case 'HOURS':
      return 'are written like 09:00-17:00 Mon-Fri';
    case 'IPV4_RANGE':
      return 'is a range of addresses, such as 10.0.0.0/8';
    case 'IPV6_RANGE':
      return 'is a range of addresses, such as 2001:db8::/32';
    case 'ZONE':
      return 'is an IANA name, such as Europe/Berlin';
    case 'LOCALE':
      return 'is a BCP 47 tag, such as de-DE';
    default:
      return 'is an ISO 4217 code, such as EUR';
  }
}

/** What a section is with some keys set to other values. Refuses as `checkValue`, and with INVALID a key named twice. */
export function withChanges(section: Section, set: SetValues, changes: readonly AskedChange[]): SetValues {
  const keys = changes.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new Refusal('INVALID', `${twice.slice(0, 40)} is named twice.`, twice.slice(0, 40));
  const checked = changes.map((change) => [change.key, checkValue(section, change)] as const);
  return { ...set, ...Object.fromEntries(checked) };
}

/** What a section is with some keys following their defaults again, or all. Refuses with INVALID a key there is not. */
export function withDefaults(section: Section, set: SetValues, keys: readonly string[] | null | undefined): SetValues {
  for (const key of keys ?? []) known(section, key);
  return Object.fromEntries(Object.entries(set).filter(([key]) => keys != null && !keys.includes(key)));
}

/** What a setting is: what was set, or its default. */
export const effective = (section: Section, set: SetValues, key: string, register: Register): string =>
  set[key] ?? defaultOf(termsOf(section)[key] as SettingTerms, register);

/** Refuses with INVALID a pair whose lesser half is the greater, and data said to lie where it does not. */
export function checkTogether(section: Section, set: SetValues, register: Register): void {
  for (const [lesser, greater] of PAIRS[section] ?? [])
    if (Number(effective(section, set, lesser, register)) > Number(effective(section, set, greater, register)))
      throw new Refusal('INVALID', `${lesser} is at most ${greater}.`, lesser);
  const { region } = register;
  if (section === 'compliance' && region && (set.data_region ?? region) !== region)
    throw new Refusal('INVALID', `The data of this tenant lies in ${region}.`, 'data_region');
}

/** The keys that were set, reset or set to something else, in the order of the catalogue. */
export const changedKeys = (section: Section, before: SetValues, after: SetValues): string[] =>
  Object.keys(termsOf(section)).filter((key) => before[key] !== after[key]);

const OPENING = ['name', 'rate_percent', 'method'];
const NOT_YET_ACTIVE = ['REQUESTED', 'PROVISIONING', 'FAILED'];

/** Billing makes its first tax rate of the opening values: later they change nothing, and are refused (R13). */
export function checkOpening(section: Section, keys: readonly string[], tenantState: string): void {
  const key = section === 'tax' && !NOT_YET_ACTIVE.includes(tenantState) && keys.find((one) => OPENING.includes(one));
  if (key) throw new Refusal('INVALID_STATE', 'This was an opening value. Change the tax with setTaxRate.', key);
}

/** Of the format of exports. */
export const EXPORT_SCHEMA = 1;
const MAX_DOCUMENT = 100_000;

/** The sections of an exported document, each value checked. Refuses with INVALID what is none. */
export function readDocument(document: string): Map<Section, SetValues> {
  const none = new Refusal('INVALID', 'This is no document of exportSettings.', 'document');
  if (document.length > MAX_DOCUMENT) throw none;
  const { schema, sections, ...rest } = objectIn(document) ?? {};
  if (!isRecord(sections) || Object.keys(rest).length > 0) throw none;
  if (schema !== EXPORT_SCHEMA) throw new Refusal('INVALID', `The format is ${EXPORT_SCHEMA}.`, 'document');
  return new Map(
    Object.entries(sections).map(([name, values]) => {
      const section = sectionNamed(name);
      if (!isRecord(values)) throw none;
      const changes = Object.entries(values).map(([key, value]) => {
        if (typeof value !== 'string') throw new Refusal('INVALID', `${key.slice(0, 40)} is written as a text.`, key);
        return { key, value };
      });
      return [section, withChanges(section, {}, changes)];
    }),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
