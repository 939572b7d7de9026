import { hashOf } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { SettingChange, SettingsSection } from './settings.entity.ts';
import { changedKeys, checkOpening, checkTogether, effective, readDocument } from './settings.rules.ts';
import { lockSettings, save, shown, storedOf } from './settings.service.ts';

export interface AskedImport {
  document: string;
  dryRun: boolean;
  previewHash?: string | null;
}

export interface Imported {
  sections: SettingsSection[];
  changes: SettingChange[];
  previewHash: string;
}

/**
 * Makes the sections of a document what it says; those it does not name stay. A dry run changes nothing and gives the
 * hash to go on with. Refuses INVALID for a document with anything wrong in it, STALE_PREVIEW without the hash of how
 * things are, INVALID_STATE for an opening value of a tenant in use.
 */
export function importSettings(ctx: Context, { document, dryRun, previewHash }: AskedImport): Promise<Imported> {
  const wanted = readDocument(document);
  const sections = [...wanted.keys()];
  return ctx.tx(async (em) => {
    const held = await lockSettings(em);
    const { registered, state } = held;
    const stored = await storedOf(em, sections);
    const changes: SettingChange[] = [];
    for (const [section, next] of wanted) {
      const before = stored.get(section)?.values ?? {};
      const keys = changedKeys(section, before, next);
      checkTogether(section, next, registered);
      checkOpening(section, keys, state);
      const of = (key: string) => ({
        before: effective(section, before, key, registered),
        after: effective(section, next, key, registered),
      });
      changes.push(...keys.map((key) => ({ section, key, ...of(key) })));
    }
    const versions = sections.map((section) => [section, stored.get(section)?.version ?? 0]);
    const hash = hashOf({ document: [...wanted], versions });
    if (!dryRun) {
      if (previewHash !== hash)
        throw new Refusal('STALE_PREVIEW', 'Please look at the changes again first.', 'previewHash');
      for (const [section, next] of wanted) {
        const saved = await save(ctx, em, section, stored.get(section), next, held);
        if (saved) stored.set(section, saved);
      }
    }
    const made = sections.map((section) => shown(section, stored.get(section), registered));
    return { sections: made, changes, previewHash: hash };
  });
}
