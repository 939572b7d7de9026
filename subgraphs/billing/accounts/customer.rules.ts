import { type AddressInput, checkAddress } from '../../../schema/address.ts';
import { currencyExponent } from '../../../schema/currency.ts';
import { Refusal } from '../../../schema/errors.ts';
import { checkTimeZone, emailAddress, languageTag, text, trimmed } from '../../../schema/words.ts';

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

/** Trims what is given and refuses what is malformed with INVALID and the field. What is not given stays undefined. */
export function checkTexts<T extends CustomerTexts>(given: T): T {
  const checked = { ...given };
  if (given.name !== undefined) checked.name = text(given.name ?? '', 200, 'name', { name: 'A name' });
  if (given.email !== undefined) checked.email = wordOf(given.email);
  if (checked.email) checked.email = emailAddress(checked.email);
  if (given.phone !== undefined) checked.phone = wordOf(given.phone);
  if (checked.phone && !PHONE.test(checked.phone))
    throw new Refusal('INVALID', 'A phone number is written in digits, such as +49 30 123456.', 'phone');
  if (given.billingAddress) checked.billingAddress = checkAddress(given.billingAddress, 'billingAddress');
  checkTimeZone(given.timeZone, 'timeZone');
  if (given.locale) checked.locale = languageTag(given.locale, 'locale');
  return checked;
}

/** Refuses with INVALID a currency that is unknown or retired, and a billing day that no month has. */
export function checkTerms({ currency, billingDay }: { currency: string; billingDay: number }): void {
  if (currencyExponent(currency) === undefined)
    throw new Refusal('INVALID', `${currency} is no currency in use.`, 'currency');
  if (!Number.isInteger(billingDay) || billingDay < 1 || billingDay > 31)
    throw new Refusal('INVALID', 'A billing day is 1 to 31.', 'billingDay');
}

const wordOf = (typed: string | null) => (typed === null ? null : trimmed(typed) || null);
