import { hears } from '../_kernel/subgraph.ts';
import * as closing from './changes/closing.service.ts';
import { hearChargeback, hearInvoice } from './changes/license-invoice.service.ts';
import { noteBought } from './denials/denial.service.ts';
import { enforceFleet } from './fleet/enforcement.service.ts';
import * as hold from './fleet/hold.service.ts';
import * as provisioning from './fleet/provisioning.service.ts';
import { advanceOwnLicense } from './sweeps.ts';

/** Money moves a licence only where the platform's own billing says so; an ISP's invoices are its customers'. */
const OF_PLATFORM = { isPlatformOnly: true };

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  enforceFleet: hears('licensing.enforcement.ordered', enforceFleet, { isPlatformOnly: true, isUrgent: true }),
  noteBought: hears('licensing.feature.started', (ctx, { payload, at }) =>
    noteBought(ctx, payload.feature, payload.source, at),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
  advanceMovedClock: hears('tenancy.clock.advanced', (ctx) => advanceOwnLicense(ctx)),
  renewPaidPeriod: hears('billing.invoice.issued', hearInvoice, OF_PLATFORM),
  countPaidInvoice: hears('billing.invoice.paid', hearInvoice, OF_PLATFORM),
  countOverdueInvoice: hears('billing.invoice.overdue', hearInvoice, OF_PLATFORM),
  countReopenedInvoice: hears('billing.invoice.reopened', hearInvoice, OF_PLATFORM),
  countChargeback: hears('billing.payment.charged_back', hearChargeback, OF_PLATFORM),
  stopRenewalOfClosed: hears('tenancy.tenant.closed', (ctx) => closing.stopRenewalOfClosed(ctx)),
  resumeRenewalOfReopened: hears('tenancy.tenant.reopened', (ctx) => closing.resumeRenewalOfReopened(ctx)),
  startProvisionedLicense: hears('tenancy.provisioning.license_requested', (ctx, { payload }) =>
    provisioning.startProvisionedLicense(ctx, payload),
  ),
  withdrawProvisionedLicense: hears('tenancy.provisioning.undo_requested', (ctx, { payload }) =>
    provisioning.withdrawProvisionedLicense(ctx, payload),
  ),
};
