import { type AddressInput, checkAddress } from '../../../schema/address.ts';
import { isTimeZone } from '../../../schema/calendar.ts';
import { currencyExponent } from '../../../schema/currency.ts';
import { Refusal } from '../../../schema/errors.ts';

export type CustomerKind = 'PERSON' | 'BUSINESS';
export type CustomerStatus = 'PROSPECT' | 'ACTIVE' | 'CLOSED';

const NEXT: Record<CustomerStatus, readonly CustomerStatus[]> = {
  PROSPECT: ['ACTIVE'],
  ACTIVE: ['CLOSED'],
  CLOSED: ['ACTIVE'],
};

/** Moves a customer to a status, or refuses with INVALID_STATE. */
export function advance(from: CustomerStatus, to: CustomerStatus): CustomerStatus {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A customer that is ${from} cannot become ${to}.`, 'status');
  return to;
}

/** Refuses to close an account on which money is still open, naming which way. Minor units; positive is owed. */
export function checkSettled(balanceMinor: bigint): void {
  if (balanceMinor > 0n) throw new Refusal('INVALID_STATE', 'This customer still owes money.', 'balance');
  if (balanceMinor < 0n) throw new Refusal('INVALID_STATE', 'This customer still has credit.', 'balance');
}

/** Refuses with CONFLICT a change made on an older copy. */
export function checkVersion(held: number, expected: number): void {
  if (held !== expected) throw new Refusal('CONFLICT', 'Someone changed this customer meanwhile.', 'expectedVersion');
}

/** What a customer may be given or change; null clears. */
export interface CustomerTexts {
  name?: string | null;
  email?: string | null;
  phone?: string | null;
  billingAddress?: AddressInput | null;
  timeZone?: string | null;
  locale?: string | null;
}

const PHONE = /^\+?[0-9][0-9 ()./-]{2,39}$/;
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

/** Trims what is given and refuses what is malformed with INVALID and the field. What is not given stays undefined. */
export function checkTexts<T extends CustomerTexts>(given: T): T {
  const checked = { ...given };
  if (given.name !== undefined) checked.name = checkName(given.name);
  if (given.email !== undefined) checked.email = trimmed(given.email);
  if (checked.email && !EMAIL.test(checked.email))
    throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
  if (given.phone !== undefined) checked.phone = trimmed(given.phone);
  if (checked.phone && !PHONE.test(checked.phone))
    throw new Refusal('INVALID', 'A phone number is written in digits, such as +49 30 123456.', 'phone');
  if (given.billingAddress) checked.billingAddress = checkAddress(given.billingAddress, 'billingAddress');
  if (given.timeZone != null && !isTimeZone(given.timeZone))
    throw new Refusal('INVALID', 'A zone is an IANA name, such as Europe/Berlin.', 'timeZone');
  if (given.locale && !isLocale(given.locale))
    throw new Refusal('INVALID', 'A locale is a BCP 47 tag, such as de-DE.', 'locale');
  return checked;
}

/** Refuses with INVALID a currency that is unknown or retired, and a billing day that no month has. */
export function checkTerms({ currency, billingDay }: { currency: string; billingDay: number }): void {
  if (currencyExponent(currency) === undefined)
    throw new Refusal('INVALID', `${currency} is no currency in use.`, 'currency');
  if (!Number.isInteger(billingDay) || billingDay < 1 || billingDay > 31)
    throw new Refusal('INVALID', 'A billing day is 1 to 31.', 'billingDay');
}

const trimmed = (text: string | null) => text?.normalize('NFC').trim() || null;

function checkName(name: string | null): string {
  const text = trimmed(name);
  if (!text || text.length > 200) throw new Refusal('INVALID', 'A name has 1 to 200 characters.', 'name');
  return text;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** The pattern that finds a text anywhere, whatever its case; its `%`, `_` and backslashes mean themselves. */
export const containing = (text: string): string => `%${text.trim().replace(/[\\%_]/g, '\\$&')}%`;
