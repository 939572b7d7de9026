import type { Context } from '../_kernel/context.ts';
import { hears } from '../_kernel/subgraph.ts';
import * as closing from './changes/closing.service.ts';
import { hearChargeback, hearInvoice } from './changes/license-invoice.service.ts';
import { noteBought } from './denials/denial.service.ts';
import { enforceFleet } from './fleet/enforcement.service.ts';
import * as hold from './fleet/hold.service.ts';
import * as provisioning from './fleet/provisioning.service.ts';
import { foreignBillingEvents } from './metrics.ts';
import { advanceOwnLicense } from './sweeps.ts';

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  enforceFleet: hears('licensing.enforcement.ordered', enforceFleet),
  noteBought: hears('licensing.feature.started', (ctx, { payload, at }) =>
    noteBought(ctx, payload.feature, payload.source, at),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
  advanceMovedClock: hears('tenancy.clock.advanced', (ctx) => advanceOwnLicense(ctx)),
  renewPaidPeriod: hears('billing.invoice.issued', (ctx, event) =>
    ofPlatform(ctx, event, () => hearInvoice(ctx, event)),
  ),
  countPaidInvoice: hears('billing.invoice.paid', (ctx, event) =>
    ofPlatform(ctx, event, () => hearInvoice(ctx, event)),
  ),
  countOverdueInvoice: hears('billing.invoice.overdue', (ctx, event) =>
    ofPlatform(ctx, event, () => hearInvoice(ctx, event)),
  ),
  countReopenedInvoice: hears('billing.invoice.reopened', (ctx, event) =>
    ofPlatform(ctx, event, () => hearInvoice(ctx, event)),
  ),
  countChargeback: hears('billing.payment.charged_back', (ctx, event) =>
    ofPlatform(ctx, event, () => hearChargeback(ctx, event)),
  ),
  stopRenewalOfClosed: hears('tenancy.tenant.closed', (ctx) => closing.stopRenewalOfClosed(ctx)),
  resumeRenewalOfReopened: hears('tenancy.tenant.reopened', (ctx) => closing.resumeRenewalOfReopened(ctx)),
  startProvisionedLicense: hears('tenancy.provisioning.license_requested', (ctx, { payload }) =>
    provisioning.startProvisionedLicense(ctx, payload),
  ),
  withdrawProvisionedLicense: hears('tenancy.provisioning.undo_requested', (ctx, { payload }) =>
    provisioning.withdrawProvisionedLicense(ctx, payload),
  ),
};

/** Money moves a licence only where the platform's own billing says so; an ISP's is counted and ignored. */
async function ofPlatform(
  ctx: Context,
  { id, name }: { id: string; name: string },
  hear: () => Promise<void>,
): Promise<void> {
  if (ctx.isPlatform) return hear();
  foreignBillingEvents.labels(name).inc();
  ctx.log.info({ eventId: id, tenantId: ctx.tenantId, name }, 'an ISP’s own billing moves no licence');
}
