import type { Period } from '../../../schema/calendar.ts';
import { roundHalfEven } from '../../../schema/money.ts';

export type BillingInterval = 'MONTH' | 'YEAR';

/** The version of a plan as lines and histories name it: `professional@1`. */
export const refOf = (code: string, number: number) => `${code}@${number}`;

export interface Price {
  priceMinor: bigint;
  currency: string;
  /** 0 to 100 with at most two decimal places. */
  annualDiscountPercent: string;
}

/** An exact amount: minor units as a fraction, rounded once where it becomes a line. */
export interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

/** What a plan costs for one whole period: the month's price, or 12 of them less the yearly discount. */
export function periodPrice(price: Omit<Price, 'currency'>, interval: BillingInterval): Fraction {
  if (interval === 'MONTH') return { numerator: price.priceMinor, denominator: 1n };
  const [whole = '0', places = ''] = price.annualDiscountPercent.split('.');
  const discount = BigInt(whole + places.padEnd(2, '0').slice(0, 2));
  return { numerator: price.priceMinor * 12n * (10_000n - discount), denominator: 10_000n };
}

/** The part of an exact amount, half-even to whole minor units. */
export function shareOf(amount: Fraction, part: bigint, whole: bigint): bigint {
  return roundHalfEven(amount.numerator * part, amount.denominator * whole);
}

/** What is due for the rest of a period at an instant: `amount × remaining / period` in elapsed time, half-even (R12). */
export function dueForRest(amount: Fraction, period: Period, now: Date): bigint {
  const remaining = BigInt(period.end.getTime() - now.getTime());
  return shareOf(amount, remaining, BigInt(period.end.getTime() - period.start.getTime()));
}

/** Part of the price of a change or a renewal, net of tax: below 0 is a credit. */
export interface PriceLine {
  key: string;
  amountMinor: bigint;
  currency: string;
  periodStart: Date;
  periodEnd: Date;
}

/** A line as rows and events keep it. */
export interface StoredLine {
  key: string;
  amountMinor: string;
  currency: string;
  periodStart: string;
  periodEnd: string;
}

export const storedLine = (line: PriceLine): StoredLine => ({
  key: line.key,
  amountMinor: line.amountMinor.toString(),
  currency: line.currency,
  periodStart: line.periodStart.toISOString(),
  periodEnd: line.periodEnd.toISOString(),
});

export const netOf = (lines: readonly PriceLine[]): bigint => lines.reduce((sum, line) => sum + line.amountMinor, 0n);
