import { badInput, Refusal } from '../../../schema/errors.ts';
import { isPlain, lengthOf } from '../../../schema/words.ts';
import { isMostUsed } from './most-used-passwords.rules.ts';

/** Fewest characters of a password: the people of an ISP, and its subscribers. */
const FEWEST = { STAFF: 12, PORTAL: 10 } as const;
/** At most four bytes each, so never more than are hashed. */
const MOST = 128;

/** What a password must not be, because others would try it first. */
export interface Bearer {
  realm: string;
  email: string;
  displayName: string;
  /** Of the tenants they are in. */
  slugs: readonly string[];
}

/** As it is compared with what others would try: without case and blanks. */
const plainly = (text: string): string => text.normalize('NFC').toLowerCase().replace(/\s/g, '');

/**
 * A password as it will be kept, in NFC. No composition is asked for and it never expires (identity R9; NIST SP 800-63B
 * section 3.1.1.2). Refuses INVALID naming the rule that is broken; throws BAD_USER_INPUT for what is no text.
 */
export function checkPassword(typed: string, { realm, email, displayName, slugs }: Bearer): string {
  if (!isPlain(typed)) throw badInput('A text holds what no text can hold.');
  const password = typed.normalize('NFC');
  const fewest = realm === 'STAFF' ? FEWEST.STAFF : FEWEST.PORTAL;
  const length = lengthOf(password);
  if (length < fewest || length > MOST) throw refused(`A password has ${fewest} to ${MOST} characters.`);
  if (isMostUsed(password)) throw refused('This password is one of the most used ones.');
  const own = [email, email.slice(0, email.indexOf('@')), displayName, ...slugs];
  if (own.map(plainly).includes(plainly(password)))
    throw refused('A password is not your mail address, your name or that of your provider.');
  return password;
}

const refused = (sentence: string) => new Refusal('INVALID', sentence, 'password');

/** For a new password that is the present one. */
export const samePassword = () => refused('This is your present password.');
