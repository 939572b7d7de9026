export type CreditSource = 'PAYMENT' | 'LICENSE';

/** So much of a credit settles so much of an invoice, minor units. */
export interface Part {
  creditId: string;
  invoiceId: string;
  amountMinor: bigint;
}

/**
 * Which credit settles which invoice: both in the order given, as far as they reach [R52]. 100.00 over open 60.00, 30.00
 * and 25.00 are 60.00, 30.00 and 10.00.
 */
export function allocate(
  credits: readonly { id: string; remainingMinor: bigint }[],
  invoices: readonly { id: string; openMinor: bigint }[],
): Part[] {
  const parts: Part[] = [];
  const left = credits.map(({ id, remainingMinor }) => ({ id, remainingMinor }));
  for (const { id: invoiceId, openMinor } of invoices) {
    let open = openMinor;
    for (const credit of left) {
      const amountMinor = open < credit.remainingMinor ? open : credit.remainingMinor;
      if (amountMinor === 0n) continue;
      parts.push({ creditId: credit.id, invoiceId, amountMinor });
      credit.remainingMinor -= amountMinor;
      open -= amountMinor;
    }
  }
  return parts;
}
