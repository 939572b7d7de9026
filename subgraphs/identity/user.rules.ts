import { isPlain, text, trimmed } from '../../schema/words.ts';

/** STAFF, or the id of the tenant whose subscriber a person is. */
export type Realm = 'STAFF' | (string & {});
export type UserState = 'INVITED' | 'UNPROVED' | 'ACTIVE' | 'SUSPENDED' | 'ERASED';

/** Whether a person in this state may sign in; who has not proved their mail yet gets into no tenant. */
export const maySignIn = (state: string): boolean => state === 'ACTIVE' || state === 'UNPROVED';

const MAX_EMAIL = 254;

/** A mail address as it is stored and compared: NFC, lower case, its domain in ASCII. Null for what is none. */
export function normalEmail(typed: string): string | null {
  const [, local, domain] = /^([^\s@]{1,64})@([^\s@]{1,253})$/.exec(trimmed(typed)) ?? [];
  if (!local || !domain || !isPlain(typed)) return null;
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

/** Trims a name, or refuses it with INVALID. */
export const checkDisplayName = (typed: string): string => text(typed, 120, 'displayName', { name: 'A name' });
