import { uuidv7 } from 'uuidv7';
import { localDate } from '../../../schema/calendar.ts';
import { hashOf } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import type { MoneyInput } from '../../../schema/money.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { lockCustomer } from '../accounts/customer.service.ts';
import { pagesOf } from '../accounts/loaders.ts';
import { checkKey } from '../idempotency.rules.ts';
import { addCredit, settling } from '../invoicing/settlement.service.ts';
import { paymentEntries } from '../ledger/posting.rules.ts';
import { balanceOf, book } from '../ledger/posting.service.ts';
import { Payment } from './payment.entity.ts';
import { checkAmount, checkReceived, checkReference, type PaymentMeans } from './payment.rules.ts';

export interface NewPayment {
  customerId: string;
  amount: MoneyInput;
  method: PaymentMeans;
  receivedOn: string;
  reference?: string | null;
  idempotencyKey: string;
}

/** A page of a customer's payments, newest first. */
export const paymentsOf = pagesOf(Payment, 'billing.payment');

/**
 * Writes down money that came by hand: it counts at once, and settles what is open, oldest due first [R52]. The key gives the first answer for ever [R47]; refuses
 * IDEMPOTENCY_MISMATCH for another request under it.
 */
export function recordPayment(ctx: Context, input: NewPayment): Promise<Payment> {
  return ctx.tx(async (em) => {
    const key = checkKey(input.idempotencyKey);
    const requestHash = hashOf({ actor: ctx.actorId, request: input });
    const id = await once(ctx, em, { door: 'recordPayment', key, request: input }, async () => {
      return (await recordedUnder(em, key, requestHash)) ?? record(ctx, em, input, requestHash);
    });
    return em.findOneOrFail(Payment, { id });
  });
}

async function recordedUnder(
  em: EntityManager,
  idempotencyKey: string,
  requestHash: string,
): Promise<string | undefined> {
  const first = await em.findOne(Payment, { idempotencyKey });
  if (first && first.requestHash !== requestHash)
    throw new Refusal('IDEMPOTENCY_MISMATCH', 'This key was used for another request.', 'idempotencyKey');
  return first?.id;
}

async function record(ctx: Context, em: EntityManager, input: NewPayment, requestHash: string): Promise<string> {
  const customer = await lockCustomer(em, input.customerId);
  const { zone } = await tenantProfile(em);
  const { method, idempotencyKey } = input;
  const { id: customerId, currency } = customer;
  const amountMinor = checkAmount(input.amount, currency);
  const receivedOn = checkReceived(input.receivedOn, localDate(ctx.now(), zone));
  const what = { customerId, currency, amountMinor, method, receivedOn, reference: checkReference(input.reference) };
  const id = uuidv7();
  em.persist(
    em.create(Payment, { id, ...what, status: 'SUCCEEDED', idempotencyKey, requestHash, createdAt: ctx.now() }),
  );
  await book(ctx, em, { type: 'PAYMENT', id, currency, entries: paymentEntries(customerId, amountMinor) });
  emit(em, 'billing.payment.succeeded', {
    paymentId: id,
    customerId,
    method,
    amountMinor: String(amountMinor),
    balanceMinor: String(await balanceOf(em, customer)),
    currency,
  });
  await settling(ctx, em, customer, async () => addCredit(ctx, em, customer, { id, source: 'PAYMENT', amountMinor }));
  return id;
}
