import type { Context } from '../../_kernel/context.ts';
import { lockCustomer } from '../accounts/customer.service.ts';
import { presentOf } from './clock.service.ts';
import { Invoice } from './invoice.entity.ts';
import { markOverdue } from './settlement.service.ts';

/** Invoices marked in one sweep. */
const BATCH = 500;

/**
 * Marks what has become overdue in every tenant, each invoice on its own clock: a sandbox's runs ahead. In one that is
 * suspended dunning stands still, and goes on once that is lifted.
 */
export async function markOverdueInvoices(ctx: Context): Promise<void> {
  const late = await ctx.acrossTenants((em) =>
    em.execute(
      `select l.billing_tenant_id, l.customer_id from billing.late_invoice l
         join kernel.tenant_profile p on p.tenant_id = l.billing_tenant_id and p.state <> 'SUSPENDED'
        order by l.late_from limit ?`,
      [BATCH],
    ),
  );
  const customers = new Map(late.map((row) => [`${row.billing_tenant_id}/${row.customer_id}`, row]));
  for (const { billing_tenant_id, customer_id } of customers.values())
    await markOverdueOf(ctx.inTenant(billing_tenant_id), customer_id);
}

/** Marks those invoices of a customer that are open past their due day, and tells each once. */
function markOverdueOf(ctx: Context, customerId: string): Promise<void> {
  return ctx.tx(async (em) => {
    const customer = await lockCustomer(em, customerId);
    const { now } = await presentOf(ctx, customer);
    const late = { customerId, status: 'ISSUED', overdueSince: null, lateFrom: { $lte: now } } as const;
    for (const invoice of await em.find(Invoice, late, { orderBy: { lateFrom: 'asc', id: 'asc' } }))
      markOverdue(em, invoice, invoice.lateFrom);
    await em.flush();
  });
}
