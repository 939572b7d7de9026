import { hears } from '../_kernel/subgraph.ts';
import * as hold from './fleet/hold.service.ts';
import { advanceOwnLicense } from './sweeps.ts';

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
  advanceMovedClock: hears('tenancy.clock.advanced', (ctx) => advanceOwnLicense(ctx)),
};
