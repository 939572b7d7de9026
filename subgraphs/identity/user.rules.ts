import { Refusal } from '../../schema/errors.ts';

/** STAFF, or the id of the tenant whose subscriber a person is. */
export type Realm = 'STAFF' | (string & {});
export type UserState = 'ACTIVE' | 'SUSPENDED';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text can be an id at all; what cannot is answered like an unknown one. */
export const isId = (text: string): boolean => UUID.test(text);

const MAX_EMAIL = 254;

/** A mail address as it is stored and compared: NFC, lower case, its domain in ASCII. Null for what is none. */
export function normalEmail(text: string): string | null {
  const [, local, domain] = /^([^\s@]{1,64})@([^\s@]{1,253})$/.exec(text.normalize('NFC').trim()) ?? [];
  if (!local || !domain || !isPlain(text)) return null;
  const host = asciiHost(domain);
  const email = `${local.toLowerCase()}@${host}`;
  return host && email.length <= MAX_EMAIL ? email : null;
}

function asciiHost(domain: string): string | null {
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return null;
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return null;
  }
}

/** Whether a text can be stored at all: no NUL and no half of a surrogate pair. */
export const isPlain = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Trims a name, or refuses it with INVALID. */
export function checkDisplayName(text: string): string {
  const name = text.normalize('NFC').trim();
  if (name.length < 1 || name.length > 120 || !isPlain(name))
    throw new Refusal('INVALID', 'A name has 1 to 120 characters.', 'displayName');
  return name;
}
