import { currencyExponent } from '../../../schema/currency.ts';
import { Refusal } from '../../../schema/errors.ts';
import { roundHalfEven } from '../../../schema/money.ts';
import { text } from '../../../schema/words.ts';

export type ChargeKind = 'ONE_OFF' | 'LICENSE';

/** No amount is larger, minor units either way [R1]. */
export const MAX_AMOUNT_MINOR = 10n ** 17n;
const MAX_QUANTITY = 10n ** 9n;

interface Exact {
  numerator: bigint;
  denominator: bigint;
}

/** The exact value of a decimal number's text. */
export function exactOf(decimal: string): Exact {
  const [whole = '0', part = ''] = decimal.split('.');
  return { numerator: BigInt(whole + part), denominator: 10n ** BigInt(part.length) };
}

/** What `quantity` × `unitPrice` (major units) comes to in minor units, rounded once, half-even [R2, R3]. */
export function amountOf(quantity: string, unitPrice: string, currency: string): bigint {
  const [count, price] = [exactOf(quantity), exactOf(unitPrice)];
  const minorUnits = 10n ** BigInt(exponentOf(currency));
  return roundHalfEven(count.numerator * price.numerator * minorUnits, count.denominator * price.denominator);
}

/**
 * The same for a charge. Refuses INVALID for a quantity outside (0, 10⁹], a negative price, and an amount of nothing or
 * too much.
 */
export function netOf(quantity: string, unitPrice: string, currency: string): bigint {
  const [count, price] = [exactOf(quantity), exactOf(unitPrice)];
  if (count.numerator <= 0n || count.numerator > MAX_QUANTITY * count.denominator)
    throw new Refusal('INVALID', 'A quantity is above 0 and at most 1000000000.', 'quantity');
  if (price.numerator < 0n) throw new Refusal('INVALID', 'A price is not below 0.', 'unitPrice');
  const net = amountOf(quantity, unitPrice, currency);
  if (net === 0n)
    throw new Refusal('INVALID', 'This comes to nothing, and there is no charge of nothing.', 'unitPrice');
  if (net > MAX_AMOUNT_MINOR) throw new Refusal('INVALID', 'This amount is too large.', 'unitPrice');
  return net;
}

/** An amount of minor units as a decimal number of major ones: -4660 in USD is `-46.60`. */
export const majorOf = (amountMinor: bigint, currency: string): string => decimalOf(amountMinor, exponentOf(currency));

/** A whole number of parts as a decimal number, `places` of its digits behind the point. */
export function decimalOf(parts: bigint, places: number): string {
  const digits = (parts < 0n ? -parts : parts).toString().padStart(places + 1, '0');
  const point = digits.length - places;
  const decimal = places === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return parts < 0n ? `-${decimal}` : decimal;
}

/** The text, NFC and trimmed; refuses INVALID outside 1 to 200 characters. */
export const checkDescription = (typed: string): string => text(typed, 200, 'description', { name: 'A description' });

function exponentOf(currency: string): number {
  const exponent = currencyExponent(currency);
  if (exponent === undefined) throw new Refusal('INVALID', `${currency} is no currency in use.`, 'currency');
  return exponent;
}
