import type { Period } from '../../../schema/calendar.ts';
import {
  type BillingInterval,
  dueForRest,
  type Fraction,
  type Price,
  type PriceLine,
  periodPrice,
  refOf,
  shareOf,
} from '../catalogue/price.rules.ts';

export interface SoldPlan extends Price {
  code: string;
  number: number;
  currency: string;
}

export interface SoldAddOn {
  code: string;
  version: number;
  quantity: number;
  priceMinor: bigint;
  setupFeeMinor: bigint;
  currency: string;
}

/** What is sold to a tenant, with its prices per month. */
export interface Sold {
  plan: SoldPlan;
  addOns: readonly SoldAddOn[];
}

/** Something sold, and what a whole period of it costs. */
interface Piece {
  key: string;
  price: Fraction;
  currency: string;
}

/** An add-on costs 12 months in a year: the yearly discount is the plan's alone (R4). */
export const addOnPrice = ({ priceMinor, quantity }: Pick<SoldAddOn, 'priceMinor' | 'quantity'>, i: BillingInterval) =>
  periodPrice({ priceMinor: priceMinor * BigInt(quantity), annualDiscountPercent: '0' }, i);

const addOnKey = ({ code, version }: SoldAddOn) => `add_on:${refOf(code, version)}`;

function piecesOf({ plan, addOns }: Sold, interval: BillingInterval): Piece[] {
  const bought = addOns.map((addOn) => ({
    ...{ key: addOnKey(addOn), price: addOnPrice(addOn, interval), currency: addOn.currency },
  }));
  const key = `plan:${refOf(plan.code, plan.number)}`;
  return [{ key, price: periodPrice(plan, interval), currency: plan.currency }, ...bought];
}

const byKey = (a: PriceLine, b: PriceLine) => (a.key < b.key ? -1 : 1);

/** What a whole period costs, a line for the plan and each add-on. */
export function periodLines(sold: Sold, interval: BillingInterval, period: Period): PriceLine[] {
  const lines = piecesOf(sold, interval).map(({ key, price, currency }) => ({
    ...{ key: `charge:${key}`, amountMinor: shareOf(price, 1n, 1n), currency },
    ...{ periodStart: period.start, periodEnd: period.end },
  }));
  return lines.filter(({ amountMinor }) => amountMinor !== 0n).sort(byKey);
}

/** What is paid once for add-ons that were not held before. */
export function setupLines(from: Sold, to: Sold, period: Period): PriceLine[] {
  const held = new Set(from.addOns.map(({ code }) => code));
  return to.addOns
    .filter(({ code, setupFeeMinor }) => setupFeeMinor > 0n && !held.has(code))
    .map((addOn) => ({
      ...{ key: `setup:${addOnKey(addOn)}`, amountMinor: addOn.setupFeeMinor, currency: addOn.currency },
      ...{ periodStart: period.start, periodEnd: period.end },
    }));
}

/**
 * The lines of a change within a period: a charge for what is new and a credit for what it replaces, each
 * `amount × remaining / period` in elapsed time, half-even (R12). What stays as it is has no line.
 */
export function changeLines(change: {
  from: Sold;
  to: Sold;
  interval: BillingInterval;
  /** The interval of what it replaces, where that differs. */
  fromInterval?: BillingInterval;
  period: Period;
  now: Date;
  /** Told apart from the lines of the running period. */
  isNext?: boolean;
}): PriceLine[] {
  const { from, to, interval, fromInterval = interval, period, now, isNext = false } = change;
  const [before, after] = [piecesOf(from, fromInterval), piecesOf(to, interval)];
  const same = (a: Piece, b: Piece) =>
    a.key === b.key && a.price.numerator * b.price.denominator === b.price.numerator * a.price.denominator;
  const line = (word: 'charge' | 'credit', { key, price, currency }: Piece, sign: bigint): PriceLine => ({
    key: `${word}:${key}${isNext ? ':next' : ''}`,
    amountMinor: sign * dueForRest(price, period, now),
    currency,
    periodStart: now,
    periodEnd: period.end,
  });
  return [
    ...after.filter((piece) => !before.some((held) => same(held, piece))).map((piece) => line('charge', piece, 1n)),
    ...before.filter((piece) => !after.some((kept) => same(kept, piece))).map((piece) => line('credit', piece, -1n)),
  ]
    .filter(({ amountMinor }) => amountMinor !== 0n)
    .sort(byKey);
}
