import { hears } from '../_kernel/subgraph.ts';
import { keepPrimaryContact as keep } from './people/contact.service.ts';

/** Whatever the licence says: a tenant's customers have contacts, and losing crm loses none. */
export const keepPrimaryContact = hears(
  'billing.customer.created',
  async (ctx, { payload, personal }) => {
    await keep(ctx, { customerId: payload.customerId, kind: payload.kind, personal: personal ?? {} });
  },
  { isAlwaysOn: true },
);
