/** AR: what a customer owes. CREDIT: what it has paid ahead. */
export type AccountCode = 'AR' | 'CREDIT' | 'BANK' | 'REVENUE';
export type AccountKind = 'ASSET' | 'LIABILITY' | 'INCOME';
export type FactType = 'CHARGE' | 'PAYMENT' | 'APPLICATION' | 'CREDIT' | 'VOID' | 'CHARGEBACK';

export const ACCOUNT_KINDS: Record<AccountCode, AccountKind> = {
  AR: 'ASSET',
  CREDIT: 'LIABILITY',
  BANK: 'ASSET',
  REVENUE: 'INCOME',
};

/** One line of a fact, minor units, debit positive. Accounts of a customer name it. */
export interface Entry {
  code: AccountCode;
  customerId?: string;
  amountMinor: bigint;
}

/** A charge: AR / REVENUE. A negative one books the other way round. */
export const chargeEntries = (customerId: string, netMinor: bigint): Entry[] => [
  { code: 'AR', customerId, amountMinor: netMinor },
  { code: 'REVENUE', amountMinor: -netMinor },
];

/** A payment: BANK / CREDIT [R57]. */
export const paymentEntries = (customerId: string, amountMinor: bigint): Entry[] => [
  { code: 'BANK', amountMinor },
  { code: 'CREDIT', customerId, amountMinor: -amountMinor },
];

/** Credit settles what is owed: CREDIT / AR [R57]. */
export const applicationEntries = (customerId: string, amountMinor: bigint): Entry[] => [
  { code: 'CREDIT', customerId, amountMinor },
  { code: 'AR', customerId, amountMinor: -amountMinor },
];

/** The same facts the other way round: what undoes them. */
export const reversed = (entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => ({ ...entry, amountMinor: -entry.amountMinor }));

export interface CurrencyAmount {
  currency: string;
  amountMinor: bigint;
}

/** The amount of one currency among several, 0 if it is not there. */
export const amountIn = (amounts: readonly CurrencyAmount[], currency: string): bigint =>
  amounts.find((amount) => amount.currency === currency)?.amountMinor ?? 0n;
