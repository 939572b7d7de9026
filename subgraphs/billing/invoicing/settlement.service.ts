import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import type { Customer } from '../accounts/customer.entity.ts';
import { applicationEntries, chargeEntries, reversed } from '../ledger/posting.rules.ts';
import { book } from '../ledger/posting.service.ts';
import { presentOf } from './clock.service.ts';
import { Credit, CreditApplication } from './credit.entity.ts';
import { allocate, type CreditSource } from './credit.rules.ts';
import { Invoice } from './invoice.entity.ts';
import { advance, type InvoiceStatus } from './invoice.rules.ts';

/** What the invoices a transaction touches were before it; a new one was nothing. */
export type Touched = Map<Invoice, { status: InvoiceStatus | null; openMinor: bigint }>;

/**
 * Every movement of invoices and credit goes through here: lets the use case make its change, lets credit settle what is
 * open, oldest due first [R52], and tells what became of each invoice from before to after, once. The customer is
 * locked. Returns what was touched.
 */
export async function settling(
  ctx: Context,
  em: EntityManager,
  customer: Customer,
  change: (touched: Touched) => Promise<void>,
): Promise<Touched> {
  const touched: Touched = new Map();
  await change(touched);
  await em.flush();
  await applyCredit(ctx, em, customer, touched);
  for (const [invoice, before] of touched) await tell(ctx, em, customer, invoice, before.status);
  await em.flush();
  return touched;
}

/** Takes in money that can settle invoices; it is in the books already. */
export function addCredit(
  ctx: Context,
  em: EntityManager,
  customer: Customer,
  given: { id: string; source: CreditSource; amountMinor: bigint },
): void {
  const { id: customerId, currency } = customer;
  const what = { ...given, customerId, currency, remainingMinor: given.amountMinor, createdAt: ctx.now() };
  em.persist(em.create(Credit, what));
}

/** Takes an invoice back: what had settled it is credit again, nothing is owed for it, and its number stays used. */
export async function voidInvoice(ctx: Context, em: EntityManager, invoice: Invoice, touched: Touched): Promise<void> {
  const { id, customerId, currency, totalMinor } = invoice;
  await undo(ctx, em, { invoiceId: id }, touched);
  remember(touched, invoice);
  if (totalMinor > 0n)
    await book(ctx, em, { type: 'VOID', id, currency, entries: reversed(chargeEntries(customerId, totalMinor)) });
  invoice.status = advance(invoice.status, 'VOID');
  invoice.openMinor = 0n;
  invoice.overdueSince = null;
  await em.flush();
}

/** Undoes what a credit has settled, or what has settled an invoice, newest first: it is credit again and open again. */
export async function undo(
  ctx: Context,
  em: EntityManager,
  what: { creditId: string } | { invoiceId: string },
  touched: Touched,
): Promise<void> {
  const applied = await em.find(CreditApplication, { ...what, reversedAt: null }, { orderBy: { id: 'desc' } });
  for (const application of applied) {
    const { id, customerId, amountMinor } = application;
    const invoice = await em.findOneOrFail(Invoice, { id: application.invoiceId });
    const credit = await em.findOneOrFail(Credit, { id: application.creditId });
    remember(touched, invoice);
    application.reversedAt = ctx.now();
    credit.remainingMinor += amountMinor;
    invoice.openMinor += amountMinor;
    if (invoice.status === 'PAID') invoice.status = advance(invoice.status, 'ISSUED');
    const entries = reversed(applicationEntries(customerId, amountMinor));
    await book(ctx, em, { type: 'APPLICATION', id, currency: invoice.currency, entries });
  }
}

async function applyCredit(ctx: Context, em: EntityManager, customer: Customer, touched: Touched): Promise<void> {
  const { id: customerId, currency } = customer;
  const oldest = { dueOn: 'asc', issuedAt: 'asc', id: 'asc' } as const;
  const invoices = await em.find(Invoice, { customerId, status: 'ISSUED' }, { orderBy: oldest });
  const left = { customerId, remainingMinor: { $gt: 0n } };
  const credits = await em.find(Credit, left, { orderBy: { createdAt: 'asc', id: 'asc' } });
  for (const { creditId, invoiceId, amountMinor } of allocate(credits, invoices)) {
    const invoice = invoices.find(({ id }) => id === invoiceId) as Invoice;
    const credit = credits.find(({ id }) => id === creditId) as Credit;
    remember(touched, invoice);
    credit.remainingMinor -= amountMinor;
    invoice.openMinor -= amountMinor;
    if (invoice.openMinor === 0n) {
      invoice.status = advance(invoice.status, 'PAID');
      invoice.overdueSince = null;
    }
    const id = uuidv7();
    em.persist(
      em.create(CreditApplication, { id, customerId, creditId, invoiceId, amountMinor, appliedAt: ctx.now() }),
    );
    await book(ctx, em, { type: 'APPLICATION', id, currency, entries: applicationEntries(customerId, amountMinor) });
  }
}

function remember(touched: Touched, invoice: Invoice): void {
  if (!touched.has(invoice)) touched.set(invoice, { status: invoice.status, openMinor: invoice.openMinor });
}

/** Tells an invoice that is new, that nothing is open on any more, or on which something is open again. */
async function tell(
  ctx: Context,
  em: EntityManager,
  customer: Customer,
  invoice: Invoice,
  before: InvoiceStatus | null,
): Promise<void> {
  if (before === null) emit(em, 'billing.invoice.issued', { ...told(invoice), dueOn: invoice.dueOn });
  if (invoice.status === 'PAID' && before !== 'PAID') emit(em, 'billing.invoice.paid', told(invoice));
  if (invoice.status !== 'ISSUED' || before !== 'PAID') return;
  emit(em, 'billing.invoice.reopened', told(invoice));
  const { now } = await presentOf(ctx, customer);
  if (invoice.lateFrom <= now) markOverdue(em, invoice, now);
}

/** Notes since when an invoice is overdue, and tells it. */
export function markOverdue(em: EntityManager, invoice: Invoice, since: Date): void {
  invoice.overdueSince = since;
  emit(em, 'billing.invoice.overdue', { ...told(invoice), overdueSince: since.toISOString() });
}

const told = ({ id, customerId, totalMinor, openMinor, currency, references }: Invoice) => ({
  invoiceId: id,
  customerId,
  totalMinor: String(totalMinor),
  openMinor: String(openMinor),
  currency,
  references,
});
