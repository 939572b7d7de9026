import { isId } from '../../../schema/ids.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Membership } from '../membership.entity.ts';
import { MAX_PORTAL_ACCOUNTS } from './portal-access.rules.ts';

/** Who speaks for customers, by customer, in the order they came; ended ones are left out. */
export const portalAccountsOf = defineLoader<Membership[]>('portalAccountsOf', async (em, ids) => {
  const customerIds = ids.filter(isId);
  const where = { customerId: { $in: customerIds }, state: { $ne: 'ENDED' } } as const;
  const limit = customerIds.length * MAX_PORTAL_ACCOUNTS;
  const found = await em.find(Membership, where, { orderBy: { id: 'asc' }, limit });
  const byCustomer = Map.groupBy(found, ({ customerId }) => String(customerId));
  return [...byCustomer];
});
