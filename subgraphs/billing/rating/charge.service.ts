import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { Customer } from '../accounts/customer.entity.ts';
import { lockCustomer } from '../accounts/customer.service.ts';
import { pagesOf } from '../accounts/loaders.ts';
import { checkKey } from '../idempotency.rules.ts';
import { chargeEntries } from '../ledger/posting.rules.ts';
import { balanceOf, book } from '../ledger/posting.service.ts';
import { Charge } from './charge.entity.ts';
import { checkDescription, netOf } from './charge.rules.ts';

export interface NewCharge {
  customerId: string;
  description: string;
  quantity: string;
  unitPrice: string;
  idempotencyKey: string;
}

/** A page of a customer's charges, newest first. */
export const chargesOf = pagesOf(Charge, 'billing.charge');

/**
 * Charges a customer for something once, in its currency: it owes `quantity` × `unitPrice` (major units) from now on.
 * Refuses INVALID_STATE for a closed customer.
 */
export function postCharge(ctx: Context, input: NewCharge): Promise<Charge> {
  return ctx.tx(async (em) => {
    const key = checkKey(input.idempotencyKey);
    const id = await once(ctx, em, { door: 'postCharge', key, request: input }, async () => {
      const customer = await lockCustomer(em, input.customerId);
      if (customer.status === 'CLOSED') throw new Refusal('INVALID_STATE', 'This customer is closed.', 'customerId');
      const { quantity, unitPrice } = input;
      const id = uuidv7();
      const netMinor = netOf(quantity, unitPrice, customer.currency);
      const description = checkDescription(input.description);
      const what = { id, key: `one_off:${id}`, kind: 'ONE_OFF', description, quantity, unitPrice, netMinor } as const;
      await post(ctx, em, customer, what);
      return id;
    });
    return em.findOneOrFail(Charge, { id });
  });
}

type Priced = Pick<Charge, 'id' | 'key' | 'kind' | 'description' | 'quantity' | 'unitPrice' | 'netMinor'> &
  Partial<Pick<Charge, 'periodStart' | 'periodEnd' | 'changeId' | 'licenseId' | 'invoiceId' | 'askedSeq'>>;

/** Writes a priced charge, books it and tells it. The customer is locked. */
export async function post(ctx: Context, em: EntityManager, customer: Customer, priced: Priced): Promise<void> {
  const { id: customerId, currency } = customer;
  em.persist(em.create(Charge, { ...priced, customerId, currency, postedAt: ctx.now() }));
  const entries = chargeEntries(customerId, priced.netMinor);
  await book(ctx, em, { type: 'CHARGE', id: priced.id, currency, entries });
  emit(em, 'billing.charge.posted', {
    chargeId: priced.id,
    customerId,
    kind: priced.kind,
    amountMinor: String(priced.netMinor),
    balanceMinor: String(await balanceOf(em, customer)),
    currency,
  });
}
