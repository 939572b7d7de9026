import { domainToASCII } from 'node:url';
import { isTimeZone } from './calendar.ts';
import { Refusal } from './errors.ts';

/** Whether a text can be stored at all: no NUL and no half of a surrogate pair. */
export const isPlain = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** A text as it is compared and kept: NFC, without blanks around it. */
export const trimmed = (typed: string): string => typed.normalize('NFC').trim();

/** Characters as people count them, and as PostgreSQL does: an emoji is one. */
export const lengthOf = (text: string): number => [...text].length;

interface Wording {
  /** What the sentence calls it. */
  name?: string;
  min?: number;
}

/** A text of `min` to `max` characters, in NFC, without blanks around it. Throws INVALID with the field for another. */
export function text(typed: string, max: number, field: string, { name = 'This', min = 1 }: Wording = {}): string {
  return inside(trimmed(typed), min, max, field, `${name} has ${min} to ${max} characters.`);
}

/** The same for a text that may be missing: null for null and for blanks. */
export function optionalText(
  typed: string | null | undefined,
  max: number,
  field: string,
  { name = 'This' }: Pick<Wording, 'name'> = {},
): string | null {
  const clean = typed == null ? '' : trimmed(typed);
  return clean === '' ? null : inside(clean, 1, max, field, `${name} has at most ${max} characters.`);
}

function inside(clean: string, min: number, max: number, field: string, sentence: string): string {
  if (!isPlain(clean)) throw new Refusal('INVALID', `${sentence} NUL and half of a character are none.`, field);
  const length = lengthOf(clean);
  if (length < min || length > max) throw new Refusal('INVALID', sentence, field);
  return clean;
}

/** A language tag in the spelling of BCP 47, or null. Throws INVALID for what is none; `field` names it too. */
export function languageTag(
  typed: string | null | undefined,
  field: 'language' | 'locale' = 'language',
): string | null {
  if (typed == null) return null;
  try {
    const [tag] = Intl.getCanonicalLocales(typed);
    if (tag) return tag;
  } catch {
    // falls through to the refusal
  }
  throw new Refusal('INVALID', `A ${field} is a BCP 47 tag, such as de-DE.`, field);
}

/** Whether a text is a language tag in the spelling of BCP 47. */
export function isLanguageTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag)[0] === tag;
  } catch {
    return false;
  }
}

/** Refuses with INVALID a zone that is given and is no IANA name. */
export function checkTimeZone(zone: string | null | undefined, field: string): void {
  if (zone != null && !isTimeZone(zone))
    throw new Refusal('INVALID', 'A zone is an IANA name, such as Europe/Berlin.', field);
}

/** Refuses a change made on an older state than the stored one with CONFLICT. */
export function expectVersion(stored: number, expected: number, noun: string): void {
  if (stored !== expected) throw new Refusal('CONFLICT', `Someone changed this ${noun} meanwhile.`, 'expectedVersion');
}

const EMAIL_OCTETS = 254;
const LOCAL_OCTETS = 64;
const DOT_ATOM = /^[^\s@.,:;<>()[\]"\\\p{Cc}]+(\.[^\s@.,:;<>()[\]"\\\p{Cc}]+)*$/u;
const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const octets = (text: string) => Buffer.byteLength(text);

/**
 * An e-mail address as typed with its domain in lower-case ASCII (RFC 5321), or INVALID. No guesses about dots or plus
 * signs.
 */
export function emailAddress(typed: string, field = 'email'): string {
  const clean = trimmed(typed);
  const at = clean.lastIndexOf('@');
  const local = clean.slice(0, Math.max(at, 0));
  const host = domainToASCII(clean.slice(at + 1)).toLowerCase();
  const address = `${local}@${host}`;
  const isSound = DOT_ATOM.test(local) && local.isWellFormed() && HOST.test(host);
  if (!isSound || octets(local) > LOCAL_OCTETS || octets(address) > EMAIL_OCTETS)
    throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', field);
  return address;
}
