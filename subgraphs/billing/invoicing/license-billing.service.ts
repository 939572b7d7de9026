import { uuidv7 } from 'uuidv7';
import type { EventName, Events, LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { Customer } from '../accounts/customer.entity.ts';
import { lockCustomer } from '../accounts/customer.service.ts';
import { applicationEntries, reversed } from '../ledger/posting.rules.ts';
import { book } from '../ledger/posting.service.ts';
import { Charge } from '../rating/charge.entity.ts';
import { chargeLines, unchargedOf } from '../rating/license-charge.service.ts';
import {
  type LicenseLine,
  overageLines,
  periodKey,
  pricedLines,
  sumOf,
  takenBack,
} from '../rating/license-line.rules.ts';
import { presentOf } from './clock.service.ts';
import { Invoice } from './invoice.entity.ts';
import { type DueTerms, type Reference, referencesOf } from './invoice.rules.ts';
import { issueInvoice } from './invoice.service.ts';
import { addCredit, settling, voidInvoice } from './settlement.service.ts';
import { isToldBetween } from './told.service.ts';

/** Something licensing told the platform: its payload, and its place in the log. */
export type News<N extends EventName> = Pick<LoggedEvent<N>, 'seq'> & { payload: Events[N] };

/** Asks for a licence's next period, once per period, on terms or by the period's start. */
export function invoiceRenewal(ctx: Context, { seq, payload }: News<'licensing.renewal.requested'>): Promise<void> {
  const { licenseId, licensedTenantId, terms } = payload;
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const key = `renewal:${periodKey(payload)}`;
    const earlier = await em.find(Invoice, { key });
    const standing = earlier.find(({ status }) => status !== 'VOID');
    if (standing && !(await isStopped(em, licenseId, standing.askedSeq, seq))) return;
    if (standing) await takeBack(ctx, em, customer, standing);
    if (await isStopped(em, licenseId, seq)) return;
    const subject = earlier.length === 0 ? periodKey(payload) : `${periodKey(payload)}#${earlier.length}`;
    const period = { periodStart: new Date(payload.periodStart), periodEnd: new Date(payload.periodEnd) };
    await bill(ctx, em, customer, {
      key,
      askedSeq: seq,
      ...{ licenseId, lines: pricedLines(subject, payload.lines) },
      terms: terms === 'PREPAID' ? 'AT_START' : 'BY_TERMS',
      references: referencesOf({ licensedTenantId, licenseId }, [period]),
      isAnswer: true,
    });
  });
}

/**
 * Asks for the price of a change that waits for its payment, due at once; one that costs nothing is paid at once, and
 * what it gives back is given when it applies. Other changes cost nothing before they apply.
 */
export function invoiceChange(ctx: Context, { seq, payload }: News<'licensing.change.scheduled'>): Promise<void> {
  const { changeId, licenseId, licensedTenantId, status } = payload;
  if (status !== 'AWAITING_PAYMENT') return Promise.resolve();
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const key = `awaiting:${changeId}`;
    if (await em.findOne(Invoice, { key })) return;
    if (await isToldBetween(em, 'licensing.change.cancelled', { changeId }, seq)) return;
    const lines = pricedLines(changeId, payload.lines);
    const effective = new Date(payload.effectiveAt);
    const spans = lines.length > 0 ? lines : [{ periodStart: effective, periodEnd: effective }];
    await bill(ctx, em, customer, {
      key,
      askedSeq: seq,
      ...{ licenseId, changeId, lines: sumOf(lines) > 0n ? lines : [] },
      terms: 'AT_ONCE',
      references: referencesOf({ licensedTenantId, licenseId, changeId }, spans),
      isAnswer: true,
    });
  });
}

/** Charges those lines of an applied change that no earlier news of it has charged; less than nothing is credit. */
export function chargeChange(ctx: Context, { seq, payload }: News<'licensing.change.applied'>): Promise<void> {
  const { changeId, licenseId, licensedTenantId } = payload;
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const lines = await unchargedOf(em, pricedLines(changeId, payload.lines));
    await bill(ctx, em, customer, {
      key: `applied:${changeId}`,
      askedSeq: seq,
      ...{ licenseId, changeId, lines },
      terms: 'BY_TERMS',
      references: referencesOf({ licensedTenantId, licenseId, changeId }, lines),
    });
  });
}

/** Takes back what was asked for a change that will not be. */
export function voidChange(ctx: Context, { payload }: News<'licensing.change.cancelled'>): Promise<void> {
  const { changeId, licensedTenantId } = payload;
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const invoice = await em.findOne(Invoice, { key: `awaiting:${changeId}`, status: { $ne: 'VOID' } });
    if (invoice) await takeBack(ctx, em, customer, invoice);
  });
}

/** Charges what was used above a limit, once per limit and period. */
export function chargeOverage(ctx: Context, { seq, payload }: News<'licensing.usage.reported'>): Promise<void> {
  const { licenseId, licensedTenantId, key } = payload;
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const lines = await unchargedOf(em, overageLines(payload));
    await bill(ctx, em, customer, {
      key: `usage:${periodKey(payload)}:${key}`,
      askedSeq: seq,
      ...{ licenseId, lines },
      terms: 'BY_TERMS',
      references: referencesOf({ licensedTenantId, licenseId }, lines),
    });
  });
}

/** Takes back what was charged for periods of a licence that will not begin. */
export function stopRenewal(ctx: Context, { seq, payload }: News<'licensing.license.renewal_stopped'>): Promise<void> {
  const { licenseId, licensedTenantId } = payload;
  return withLicensed(ctx, licensedTenantId, async (em, customer) => {
    const { now } = await presentOf(ctx, customer);
    const renewals = { key: { $like: `renewal:${licenseId}@%` }, askedSeq: { $lt: BigInt(seq) } };
    for (const invoice of await em.find(Invoice, { customerId: customer.id, status: { $ne: 'VOID' }, ...renewals }))
      if (invoice.references.every(({ periodStart }) => new Date(periodStart) > now))
        await takeBack(ctx, em, customer, invoice);
    const lines = await unchargedOf(em, takenBack(await changedAhead(em, customer, { licenseId, now, seq })));
    await bill(ctx, em, customer, {
      key: `stopped:${licenseId}@${seq}`,
      askedSeq: seq,
      ...{ licenseId, lines },
      terms: 'BY_TERMS',
      // It pays for no time: paid, it must not count for the period that will not begin.
      references: referencesOf({ licensedTenantId, licenseId }, [{ periodStart: now, periodEnd: now }]),
    });
  });
}

/**
 * What changes of a licence told before `seq` have charged, or given back, for periods that have not begun. What still
 * waits for its payment is asked for as a whole or not at all.
 */
async function changedAhead(
  em: EntityManager,
  { id: customerId }: Customer,
  { licenseId, now, seq }: { licenseId: string; now: Date; seq: number },
): Promise<LicenseLine[]> {
  const ahead = { periodStart: { $gt: now }, askedSeq: { $lt: BigInt(seq) } };
  const charges = await em.find(Charge, { customerId, licenseId, changeId: { $ne: null }, ...ahead });
  const invoices = await em.find(Invoice, { id: { $in: charges.flatMap(({ invoiceId }) => invoiceId ?? []) } });
  const waits = ({ key, status }: Invoice) => status === 'VOID' || (status === 'ISSUED' && key.startsWith('awaiting:'));
  const isOut = new Set(invoices.filter(waits).map(({ id }) => id));
  return charges.filter(({ invoiceId }) => !invoiceId || !isOut.has(invoiceId)).map(lineOf);
}

const lineOf = ({ key, description, quantity, unitPrice, netMinor, currency, periodStart, periodEnd }: Charge) => ({
  ...{ key, description, quantity, unitPrice, netMinor, currency },
  periodStart: periodStart as Date,
  periodEnd: periodEnd as Date,
});

interface Bill {
  key: string;
  askedSeq: number;
  licenseId?: string;
  changeId?: string;
  lines: LicenseLine[];
  terms: DueTerms;
  references: Reference[];
  /** Licensing waits to hear of its invoice, even where that comes to nothing. */
  isAnswer?: boolean;
}

/** Charges lines and invoices them; where they come to less than nothing, that is credit for whatever is open. */
export async function bill(ctx: Context, em: EntityManager, customer: Customer, given: Bill): Promise<void> {
  const { lines, licenseId, changeId, isAnswer, ...document } = given;
  const net = sumOf(lines);
  const [first] = document.references;
  if (lines.length === 0 && !isAnswer) return;
  const invoiceId = net > 0n || isAnswer ? uuidv7() : null;
  await settling(ctx, em, customer, async (touched) => {
    const askedSeq = BigInt(document.askedSeq);
    await chargeLines(ctx, em, customer, lines, { licenseId, changeId, askedSeq, invoiceId });
    if (invoiceId) {
      const periodStart = first ? new Date(first.periodStart) : ctx.now();
      const totalMinor = net > 0n ? net : 0n;
      const invoice = await issueInvoice(ctx, em, customer, { id: invoiceId, ...document, totalMinor, periodStart });
      touched.set(invoice, { status: null, openMinor: 0n });
    }
    if (net < 0n) await credit(ctx, em, customer, -net);
  });
}

async function credit(ctx: Context, em: EntityManager, customer: Customer, amountMinor: bigint): Promise<void> {
  const id = uuidv7();
  const { id: customerId, currency } = customer;
  await book(ctx, em, { type: 'CREDIT', id, currency, entries: reversed(applicationEntries(customerId, amountMinor)) });
  addCredit(ctx, em, customer, { id, source: 'LICENSE', amountMinor });
}

const takeBack = (ctx: Context, em: EntityManager, customer: Customer, invoice: Invoice) =>
  settling(ctx, em, customer, (touched) => voidInvoice(ctx, em, invoice, touched));

const isStopped = (em: EntityManager, licenseId: string, after: number | bigint, before?: number) =>
  isToldBetween(em, 'licensing.license.renewal_stopped', { licenseId }, after, before);

/**
 * Runs a use case with the platform's customer that is the licensed tenant, locked. Throws when there is none, so that
 * the job is tried again.
 */
function withLicensed(
  ctx: Context,
  licensedTenantId: string,
  run: (em: EntityManager, customer: Customer) => Promise<void>,
): Promise<void> {
  return ctx.tx(async (em) => {
    const account = await em.findOne(Customer, { licensedTenantId });
    if (!account) throw new Error(`Tenant ${licensedTenantId} is no customer of the platform.`);
    await run(em, await lockCustomer(em, account.id));
  });
}
