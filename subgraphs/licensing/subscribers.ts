import { hears } from '../_kernel/subgraph.ts';
import * as closing from './fleet/closing.service.ts';
import * as hold from './fleet/hold.service.ts';
import * as provisioning from './fleet/provisioning.service.ts';
import { lapseOwnLicense } from './sweeps.ts';

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
  stopRenewalOfClosed: hears('tenancy.tenant.closed', (ctx) => closing.stopRenewalOfClosed(ctx)),
  resumeRenewalOfReopened: hears('tenancy.tenant.reopened', (ctx) => closing.resumeRenewalOfReopened(ctx)),
  startProvisionedLicense: hears('tenancy.provisioning.license_requested', (ctx, { payload }) =>
    provisioning.startProvisionedLicense(ctx, payload),
  ),
  withdrawProvisionedLicense: hears('tenancy.provisioning.undo_requested', (ctx, { payload }) =>
    provisioning.withdrawProvisionedLicense(ctx, payload),
  ),
  lapseAtMovedClock: hears('tenancy.clock.advanced', (ctx) => lapseOwnLicense(ctx)),
};
