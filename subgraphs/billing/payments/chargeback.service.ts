import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import type { Customer } from '../accounts/customer.entity.ts';
import { lockCustomer } from '../accounts/customer.service.ts';
import { checkKey } from '../idempotency.rules.ts';
import { Credit } from '../invoicing/credit.entity.ts';
import { settling, type Touched, undo } from '../invoicing/settlement.service.ts';
import { paymentEntries, reversed } from '../ledger/posting.rules.ts';
import { balanceOf, book } from '../ledger/posting.service.ts';
import { Chargeback } from './chargeback.entity.ts';
import { Payment } from './payment.entity.ts';
import { advance, checkReason } from './payment.rules.ts';

export interface NewChargeback {
  paymentId: string;
  reason: string;
  idempotencyKey: string;
}

/**
 * Writes down that a payment went back to its payer, whole: it counts no more, and what it had paid is open again unless
 * other credit covers it. The key gives the first answer. Refuses INVALID_STATE for a payment that went back already.
 */
export function recordChargeback(ctx: Context, input: NewChargeback): Promise<Payment> {
  return ctx.tx(async (em) => {
    const key = checkKey(input.idempotencyKey);
    const id = await once(ctx, em, { door: 'recordChargeback', key, request: input }, async () => {
      const reason = checkReason(input.reason);
      const payment = await lockOrRefuse(em, Payment, input.paymentId, 'payment');
      const customer = await lockCustomer(em, payment.customerId);
      payment.status = advance(payment.status, 'REVERSED');
      const touched = await settling(ctx, em, customer, (before) => reverse(ctx, em, payment, reason, before));
      await tell(em, customer, payment, touched);
      return payment.id;
    });
    return em.findOneOrFail(Payment, { id });
  });
}

async function reverse(
  ctx: Context,
  em: EntityManager,
  { id: paymentId, customerId, amountMinor, currency }: Payment,
  reason: string,
  touched: Touched,
): Promise<void> {
  const id = uuidv7();
  em.persist(em.create(Chargeback, { id, paymentId, customerId, reason, amountMinor, currency, createdAt: ctx.now() }));
  await undo(ctx, em, { creditId: paymentId }, touched);
  const credit = await em.findOneOrFail(Credit, { id: paymentId });
  credit.remainingMinor = 0n;
  const entries = reversed(paymentEntries(customerId, amountMinor));
  await book(ctx, em, { type: 'CHARGEBACK', id, currency, entries });
}

/** Tells what went back, and the licences of the invoices on which more is open than before. */
async function tell(em: EntityManager, customer: Customer, payment: Payment, touched: Touched): Promise<void> {
  const reopened = [...touched].filter(([invoice, before]) => invoice.openMinor > before.openMinor);
  emit(em, 'billing.payment.charged_back', {
    paymentId: payment.id,
    customerId: customer.id,
    references: reopened.flatMap(([invoice]) => invoice.references),
    amountMinor: String(payment.amountMinor),
    balanceMinor: String(await balanceOf(em, customer)),
    currency: payment.currency,
  });
}
