import { hears } from '../_kernel/subgraph.ts';
import { activateCustomer } from './accounts/customer.service.ts';
import { closeLicensedAccount, openLicensedAccount } from './accounts/licensed-account.service.ts';
import * as license from './invoicing/license-billing.service.ts';

/** Licensing tells the platform; an ISP in whose log the same stands has nobody to charge for it. */
const OF_PLATFORM = { isPlatformOnly: true };

export const subscribers = {
  openLicensedAccount: hears('tenancy.provisioning.account_requested', openLicensedAccount, { isPlatformOnly: true }),
  closeLicensedAccount: hears(
    'tenancy.provisioning.undo_requested',
    (ctx, { payload }) => closeLicensedAccount(ctx, payload),
    { isPlatformOnly: true },
  ),
  activateCustomer: hears('network.service.activated', (ctx, { payload }) => activateCustomer(ctx, payload.customerId)),
  chargeLicenseChange: hears('licensing.change.applied', license.chargeChange, OF_PLATFORM),
  invoiceLicenseChange: hears('licensing.change.scheduled', license.invoiceChange, OF_PLATFORM),
  voidLicenseChange: hears('licensing.change.cancelled', license.voidChange, OF_PLATFORM),
  invoiceRenewal: hears('licensing.renewal.requested', license.invoiceRenewal, OF_PLATFORM),
  stopRenewal: hears('licensing.license.renewal_stopped', license.stopRenewal, OF_PLATFORM),
  chargeOverage: hears('licensing.usage.reported', license.chargeOverage, OF_PLATFORM),
};
