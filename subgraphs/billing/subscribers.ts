import { hears } from '../_kernel/subgraph.ts';
import { activateCustomer } from './accounts/customer.service.ts';
import { chargeLicenseChange } from './rating/charge.service.ts';

export const subscribers = {
  activateCustomer: hears('network.service.activated', (ctx, { payload }) => activateCustomer(ctx, payload.customerId)),
  // Licensing tells the platform; an ISP that hears of a change has nobody to charge for it.
  chargeLicenseChange: hears('licensing.change.applied', async (ctx, { id, payload }) => {
    if (ctx.isPlatform) return chargeLicenseChange(ctx, payload);
    ctx.log.info(
      { eventId: id, tenantId: ctx.tenantId },
      'a change of licence was told outside the platform and is not charged',
    );
  }),
};
