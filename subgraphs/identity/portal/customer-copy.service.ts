import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import { settleAccountPortals } from './account-portal.service.ts';

type CustomerEvent =
  | LoggedEvent<'billing.customer.created'>
  | LoggedEvent<'billing.customer.closed'>
  | LoggedEvent<'billing.customer.reopened'>;

/** Keeps what identity must know of a customer. News come in any order: the newest version stays. */
export async function keepCustomer(ctx: Context, { payload }: CustomerEvent): Promise<void> {
  if (!('customerId' in payload)) return; // of a run that never got a customer
  const { customerId, status, licensedTenantId = null, version } = payload;
  await ctx.tx((em) =>
    em.execute(
      `insert into identity.customer_copy (customer_id, is_closed, licensed_tenant_id, version) values (?, ?, ?, ?)
       on conflict (tenant_id, customer_id) do update
         set is_closed = excluded.is_closed, licensed_tenant_id = excluded.licensed_tenant_id, version = excluded.version
         where identity.customer_copy.version <= excluded.version`,
      [customerId, status === 'CLOSED', licensedTenantId, version],
    ),
  );
  if (ctx.isPlatform && licensedTenantId !== null) await settleAccountPortals(ctx, licensedTenantId);
}
