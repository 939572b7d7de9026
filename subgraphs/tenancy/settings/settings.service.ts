import { uuidv7 } from 'uuidv7';
import { canonicalJson, hashOf } from '../../../schema/canonical.ts';
import { asWhole, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { type Section, type SetValues, termsOf } from '../../../schema/settings.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { heldSettings } from '../../_kernel/settings.ts';
import { SettingsDocument, SettingsRevision, SettingsSection, StoredSection } from './settings.entity.ts';
import {
  type AskedChange,
  changedKeys,
  checkOpening,
  checkTogether,
  EXPORT_SCHEMA,
  effective,
  type Register,
  sectionNamed,
  sectionsOf,
  withChanges,
  withDefaults,
} from './settings.rules.ts';

/** Sections of the caller's tenant as they are; all where none is named. BAD_USER_INPUT for one there is not. */
export async function listSettings(ctx: Context, names?: readonly string[] | null): Promise<SettingsSection[]> {
  const sections = sectionsOf(names);
  const em = await ctx.em();
  const { registered } = await heldSettings(em);
  const stored = await storedOf(em, sections);
  return sections.map((section) => shown(section, stored.get(section), registered));
}

/** One section as it is, for whoever was too late to change it. */
export async function presentSection(ctx: Context, section: string): Promise<{ section: SettingsSection | null }> {
  return { section: (await listSettings(ctx, [section]))[0] ?? null };
}

/** The revisions of a section, newest first. */
export async function listRevisions(
  ctx: Context,
  section: string,
  page: PageArgs,
): Promise<Connection<SettingsRevision>> {
  const after = keyAfter(page, asWhole);
  const rows = await (await ctx.em()).find(
    SettingsRevision,
    { section: sectionsOf([section])[0], ...(after === null ? {} : { version: { $lt: after } }) },
    { orderBy: { version: 'desc' }, limit: page.first + 1 },
  );
  return connect(rows, page, ({ version }) => [version]);
}

/** What was set in the sections, as a document `importSettings` takes; all where none is named. */
export async function exportSettings(ctx: Context, names?: readonly string[] | null): Promise<SettingsDocument> {
  const sections = sectionsOf(names);
  const stored = await storedOf(await ctx.em(), sections);
  const values = Object.fromEntries(sections.map((section) => [section, stored.get(section)?.values ?? {}]));
  const content = { schema: EXPORT_SCHEMA, sections: values };
  return { schema: EXPORT_SCHEMA, document: canonicalJson(content), hash: hashOf(content) };
}

export interface SectionChange {
  section: string;
  expectedVersion: number;
}

/**
 * Sets some settings of a section, all or none. Refuses CONFLICT for an older version than the present one, INVALID with
 * the key for what is none of the catalogue or out of range, INVALID_STATE for an opening value of a tenant in use.
 */
export function updateSettings(
  ctx: Context,
  { changes, ...asked }: SectionChange & { changes: readonly AskedChange[] },
): Promise<SettingsSection> {
  return changeSection(ctx, asked, (section, set) => withChanges(section, set, changes));
}

/** Lets some settings of a section follow their defaults again, or all of them. Refuses as `updateSettings`. */
export function resetSettings(
  ctx: Context,
  { keys, ...asked }: SectionChange & { keys?: readonly string[] | null },
): Promise<SettingsSection> {
  return changeSection(ctx, asked, (section, set) => withDefaults(section, set, keys));
}

/** Makes a new version equal to a former one. Refuses as `updateSettings`, NOT_FOUND for a version there never was. */
export function restoreSettings(
  ctx: Context,
  { version, ...asked }: SectionChange & { version: number },
): Promise<SettingsSection> {
  return changeSection(ctx, asked, async (section, _set, em) => {
    if (version === FIRST_VERSION) return {};
    const revision = await em.findOne(SettingsRevision, { section, version });
    if (!revision) throw new Refusal('NOT_FOUND', 'There never was such a version.', 'version');
    return revision.values;
  });
}

type Change = (section: Section, set: SetValues, em: EntityManager) => SetValues | Promise<SetValues>;

function changeSection(ctx: Context, asked: SectionChange, change: Change): Promise<SettingsSection> {
  const section = sectionNamed(asked.section);
  return ctx.tx(async (em) => {
    const held = await lockSettings(em);
    const stored = (await storedOf(em, [section])).get(section);
    expectVersion(stored?.version ?? FIRST_VERSION, asked.expectedVersion, 'section');
    const next = await change(section, stored?.values ?? {}, em);
    return shown(section, await save(ctx, em, section, stored, next, held), held.registered);
  });
}

/** A section's version before anything was set in it. */
const FIRST_VERSION = 1;

/** What a tenant's settings are checked against. */
export interface HeldTenant {
  state: string;
  registered: Register;
}

/** Locks the tenant's copy at the kernel, so that changes of its settings come one after the other. */
export async function lockSettings(em: EntityManager): Promise<HeldTenant> {
  const [row] = await em.execute('select state, zone, locale, currency, region from kernel.tenant_profile for update');
  const { state, ...registered } = row as { state: string } & Register;
  return { state, registered };
}

/** What is stored of sections, by name. */
export async function storedOf(em: EntityManager, sections: readonly Section[]): Promise<Map<string, StoredSection>> {
  const rows = await em.find(StoredSection, { id: { $in: [...sections] } });
  return new Map(rows.map((row) => [row.id, row]));
}

/** Makes a new version of a section, its revision and the kernel's copy. Where nothing changes there is none. */
export async function save(
  ctx: Context,
  em: EntityManager,
  section: Section,
  stored: StoredSection | undefined,
  next: SetValues,
  { state, registered }: HeldTenant,
): Promise<StoredSection | undefined> {
  const before = stored?.values ?? {};
  const keys = changedKeys(section, before, next);
  if (keys.length === 0) return stored;
  checkTogether(section, next, registered);
  checkOpening(section, keys, state);
  const version = (stored?.version ?? FIRST_VERSION) + 1;
  const made = { version, values: { ...next }, updatedAt: ctx.now(), updatedBy: ctx.actorId };
  const row = stored ? Object.assign(stored, made) : em.create(StoredSection, { id: section, ...made });
  em.persist(row);
  const were = (set: SetValues) =>
    Object.fromEntries(keys.map((key) => [key, effective(section, set, key, registered)]));
  em.persist(
    em.create(SettingsRevision, {
      ...{ id: uuidv7(), section, version, keys, before: were(before), after: were(next), values: { ...next } },
      ...{ actor: ctx.actorId, at: ctx.now() },
    }),
  );
  await em.execute('update kernel.tenant_profile set settings = settings || jsonb_build_object(?::text, ?::jsonb)', [
    section,
    JSON.stringify(next),
  ]);
  tellGateways(em, 'tenants', ctx.tenantId); // so that a home of its own gets the copy
  emit(em, 'tenancy.tenant.settings_changed', { section, version, keys });
  if (section === 'portal' && keys.includes('self_service')) tellGateways(em, 'grants', `portal:${ctx.tenantId}`);
  return row;
}

/** A section as clients see it. */
export function shown(section: Section, stored: StoredSection | undefined, register: Register): SettingsSection {
  const set = stored?.values ?? {};
  const bound = (limit: number | undefined) => (limit === undefined ? null : String(limit));
  return {
    section,
    version: stored?.version ?? FIRST_VERSION,
    values: Object.entries(termsOf(section)).map(([key, { type, min, max, oneOf = null, unit = null }]) => ({
      ...{ key, type, oneOf, unit, min: bound(min), max: bound(max) },
      value: effective(section, set, key, register),
      default: effective(section, {}, key, register),
      isDefault: set[key] === undefined,
    })),
    updatedAt: stored?.updatedAt ?? null,
    updatedBy: stored?.updatedBy ?? null,
  };
}
