import { Refusal } from '../../schema/errors.ts';

/** A text of 1 to `max` letters, in NFC, without blanks around it. Throws INVALID with the field for anything else. */
export function text(typed: string, max: number, field: string): string {
  const clean = typed.normalize('NFC').trim();
  if (clean.includes('\0') || !clean.isWellFormed())
    throw new Refusal('INVALID', 'This holds characters that no text has.', field);
  const length = [...clean].length;
  if (length < 1 || length > max) throw new Refusal('INVALID', `This has 1 to ${max} letters.`, field);
  return clean;
}

/** The same for a text that may be missing: null for null and for blanks. */
export function optionalText(typed: string | null | undefined, max: number, field: string): string | null {
  return typed == null || typed.trim() === '' ? null : text(typed, max, field);
}

/** A language tag in the spelling of BCP 47, or null. Throws INVALID for what is none. */
export function languageTag(typed: string | null | undefined, field = 'language'): string | null {
  if (typed == null) return null;
  try {
    const [tag] = Intl.getCanonicalLocales(typed);
    if (tag) return tag;
  } catch {
    // falls through to the refusal
  }
  throw new Refusal('INVALID', 'A language is a BCP 47 tag, such as de or pt-BR.', field);
}

/** Refuses a change made on an older state than the stored one. */
export function expectVersion(stored: number, expected: number, noun: string): void {
  if (stored !== expected) throw new Refusal('CONFLICT', `Someone changed this ${noun} meanwhile.`, 'expectedVersion');
}
