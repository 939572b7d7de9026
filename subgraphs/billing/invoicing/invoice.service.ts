import { localDate } from '../../../schema/calendar.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { nextNumber } from '../../_kernel/number-series.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import type { Customer } from '../accounts/customer.entity.ts';
import { pagesOf } from '../accounts/loaders.ts';
import { Charge } from '../rating/charge.entity.ts';
import { presentOf } from './clock.service.ts';
import { Invoice } from './invoice.entity.ts';
import { type DueTerms, dueOn, lateFrom, type Reference, seriesOf } from './invoice.rules.ts';

/** A page of a customer's invoices, newest first. */
export const invoicesOf = pagesOf(Invoice, 'billing.invoice');

export const invoiceById = defineLoader<Invoice>('invoice', async (em, ids) =>
  (await em.find(Invoice, { id: { $in: ids.filter(isId) } })).map((invoice) => [invoice.id, invoice]),
);

/** The charges of each invoice, in the order they were made. */
export const linesOfInvoice = defineLoader<Charge[]>('invoice lines', async (em, ids) => {
  const charges = await em.find(Charge, { invoiceId: { $in: [...ids] } }, { orderBy: { id: 'asc' } });
  return Map.groupBy(charges, ({ invoiceId }) => invoiceId as string);
});

export interface NewInvoice {
  id: string;
  key: string;
  askedSeq: number;
  totalMinor: bigint;
  terms: DueTerms;
  /** When the period it is for begins. */
  periodStart: Date;
  references: Reference[];
}

/**
 * Issues a document: its number is drawn in this transaction, so that none is burnt, and its instant is read when the
 * series is ours, so that numbers stand in the order of time [R23]. A total of nothing is paid at once. The customer is
 * locked.
 */
export async function issueInvoice(
  ctx: Context,
  em: EntityManager,
  customer: Customer,
  { terms, periodStart, ...given }: NewInvoice,
): Promise<Invoice> {
  const { zone } = await tenantProfile(em);
  const { now, isTest } = await presentOf(ctx, customer);
  const { series, prefix } = seriesOf(isTest, localDate(now, zone));
  const number = await nextNumber(em, series, prefix);
  const [clock] = await em.execute('select extract(epoch from clock_timestamp() - now()) * 1000 as waited_ms');
  const issuedAt = new Date(now.getTime() + Number(clock?.waited_ms));
  const due = dueOn(terms, issuedAt, periodStart, zone);
  const invoice = em.create(Invoice, {
    ...given,
    askedSeq: BigInt(given.askedSeq),
    number,
    customerId: customer.id,
    currency: customer.currency,
    status: given.totalMinor === 0n ? 'PAID' : 'ISSUED',
    openMinor: given.totalMinor,
    issuedAt,
    dueOn: due,
    lateFrom: lateFrom(due, zone),
    licensedTenantId: customer.licensedTenantId,
  });
  await em.persist(invoice).flush();
  return invoice;
}
