import { hears } from '../_kernel/subgraph.ts';
import * as hold from './fleet/hold.service.ts';

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
};
