import type { EventName } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import { hears } from '../_kernel/subgraph.ts';
import { activateCustomer } from './accounts/customer.service.ts';
import { closeLicensedAccount, openLicensedAccount } from './accounts/licensed-account.service.ts';
import * as license from './invoicing/license-billing.service.ts';

/** Licensing tells the platform; an ISP in whose log the same stands has nobody to charge for it. */
const fromPlatform = <N extends EventName>(event: N, bill: (ctx: Context, news: license.News<N>) => Promise<void>) =>
  hears(event, async (ctx, told) => {
    if (ctx.isPlatform) return bill(ctx, told);
    ctx.log.info(
      { event, eventId: told.id, tenantId: ctx.tenantId },
      'news of a licence stood outside the log of the platform and is not charged',
    );
  });

export const subscribers = {
  openLicensedAccount: hears('tenancy.provisioning.account_requested', async (ctx, event) => {
    if (ctx.isPlatform) await openLicensedAccount(ctx, event);
  }),
  closeLicensedAccount: hears('tenancy.provisioning.undo_requested', async (ctx, { payload }) => {
    if (ctx.isPlatform) await closeLicensedAccount(ctx, payload);
  }),
  activateCustomer: hears('network.service.activated', (ctx, { payload }) => activateCustomer(ctx, payload.customerId)),
  chargeLicenseChange: fromPlatform('licensing.change.applied', license.chargeChange),
  invoiceLicenseChange: fromPlatform('licensing.change.scheduled', license.invoiceChange),
  voidLicenseChange: fromPlatform('licensing.change.cancelled', license.voidChange),
  invoiceRenewal: fromPlatform('licensing.renewal.requested', license.invoiceRenewal),
  stopRenewal: fromPlatform('licensing.license.renewal_stopped', license.stopRenewal),
  chargeOverage: fromPlatform('licensing.usage.reported', license.chargeOverage),
};
