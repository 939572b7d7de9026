import { Refusal } from '../../../schema/errors.ts';
import type { MoneyInput } from '../../../schema/money.ts';
import { optionalText, text } from '../../../schema/words.ts';

export type PaymentMeans = 'CASH' | 'BANK_TRANSFER' | 'CHEQUE';
export type PaymentStatus = 'SUCCEEDED' | 'REVERSED';

const NEXT: Record<PaymentStatus, readonly PaymentStatus[]> = { SUCCEEDED: ['REVERSED'], REVERSED: [] };

/** Moves a payment to a status, or refuses with INVALID_STATE. */
export function advance(from: PaymentStatus, to: PaymentStatus): PaymentStatus {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A payment that is ${from} cannot become ${to}.`, 'status');
  return to;
}

/** No amount is larger, minor units [R1]. */
const MAX_AMOUNT_MINOR = 10n ** 17n;

/** The amount in minor units. Refuses INVALID for nothing or less, too much, or a currency the customer does not pay in. */
export function checkAmount(amount: MoneyInput, currency: string): bigint {
  if (amount.currency !== currency)
    throw new Refusal('INVALID', `This customer pays in ${currency}; credit is converted by convertCredit.`, 'amount');
  if (amount.amountMinor <= 0n) throw new Refusal('INVALID', 'A payment is above 0.', 'amount');
  if (amount.amountMinor > MAX_AMOUNT_MINOR) throw new Refusal('INVALID', 'This amount is too large.', 'amount');
  return amount.amountMinor;
}

/** Refuses with INVALID money that is yet to come. Both are local dates of the tenant. */
export function checkReceived(receivedOn: string, today: string): string {
  if (receivedOn > today) throw new Refusal('INVALID', 'Money that has not come cannot be recorded.', 'receivedOn');
  return receivedOn;
}

/** What the payer wrote, NFC and trimmed, null for nothing; refuses INVALID over 140 characters. */
export const checkReference = (typed: string | null | undefined): string | null =>
  optionalText(typed, 140, 'reference', { name: 'A reference' });

/** Why money went back, NFC and trimmed; refuses INVALID outside 1 to 200 characters. */
export const checkReason = (typed: string): string => text(typed, 200, 'reason', { name: 'A reason' });
