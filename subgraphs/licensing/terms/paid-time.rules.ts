import type { LicenseTerms } from './license.rules.ts';

/** DROPPED: the period was taken back, or the licence began anew after it; it never counts again. */
export type InvoiceStatus = 'ISSUED' | 'PAID' | 'OVERDUE' | 'REOPENED' | 'DROPPED';

/** An invoice of the platform's that is about a licence. */
export interface InvoiceFacts {
  /** The change it is for; null for a period. */
  changeId: string | null;
  periodStart: Date;
  periodEnd: Date;
  status: InvoiceStatus;
  /** When it came into this status. */
  since: Date;
}

/** What paid time rests on. */
export interface PaidTimeFacts {
  terms: LicenseTerms;
  /** Paid time that was given without an invoice. */
  grantedUntil: Date | null;
  invoices: readonly InvoiceFacts[];
}

/**
 * Until when a licence is paid (R14): a period counts when its invoice is issued, where terms are INVOICED and something
 * was paid before, and otherwise when it is paid. What is paid for a change counts too, but not for a period that itself
 * is not paid. An invoice that is overdue, reopened or charged back sets the end back
 * to that instant, until it is paid. Null as long as nothing ever counted.
 */
export function paidUntilOf({ terms, grantedUntil, invoices }: PaidTimeFacts): Date | null {
  const counted = invoices.filter(({ status }) => status !== 'DROPPED');
  const hasPaid = grantedUntil !== null || counted.some(({ status }) => status === 'PAID');
  const onIssue = terms === 'INVOICED' && hasPaid;
  const periods = counted.filter(({ changeId }) => changeId === null);
  const isPaid = ({ status }: InvoiceFacts) => status === 'PAID' || onIssue;
  const counts = (invoice: InvoiceFacts) =>
    invoice.changeId === null
      ? isPaid(invoice)
      : invoice.status === 'PAID' && !periods.some((p) => !isPaid(p) && p.periodEnd >= invoice.periodEnd);
  const ends = [...(grantedUntil ? [grantedUntil] : []), ...counted.filter(counts).map(({ periodEnd }) => periodEnd)];
  if (ends.length === 0) return null;
  const backs = counted.filter(({ status }) => status === 'OVERDUE' || status === 'REOPENED').map(({ since }) => since);
  const end = Math.max(...ends.map(Number));
  return new Date(Math.min(end, ...backs.map(Number)));
}
