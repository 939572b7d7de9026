import {
  defaultOf,
  type Registered,
  readSetting,
  type Section,
  type SettingKey,
  type SettingTerms,
  type SettingValue,
  termsOf,
} from '../../schema/settings.ts';
import type { EntityManager } from './db.ts';

/** The kernel's copy of what a tenant has set, and what it was registered with. */
export interface HeldSettings {
  values: Partial<Record<string, Record<string, string>>>;
  registered: Partial<Record<Registered, string | null>>;
}

/** The settings of the tenant the transaction runs in: one row, by its key. */
export async function heldSettings(em: EntityManager): Promise<HeldSettings> {
  const [row] = await em.execute('select settings, zone, locale, currency, region from kernel.tenant_profile');
  const { settings = {}, ...registered } = row ?? {};
  return { values: settings as HeldSettings['values'], registered };
}

/** What a setting is, by the tenant or by its default. */
export function settingIn<K extends SettingKey>({ values, registered }: HeldSettings, key: K): SettingValue<K> {
  const [section, name] = key.split('.') as [Section, string];
  return readSetting(key, values[section]?.[name] ?? defaultOf(termsOf(section)[name] as SettingTerms, registered));
}
