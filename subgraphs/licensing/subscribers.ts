import { hears } from '../_kernel/subgraph.ts';
import { noteBought } from './denials/denial.service.ts';
import { enforceFleet } from './fleet/enforcement.service.ts';
import * as hold from './fleet/hold.service.ts';

export const subscribers = {
  holdSuspendedTenant: hears('tenancy.tenant.suspended', (ctx, { payload }) =>
    hold.holdSuspendedTenant(ctx, payload.reason),
  ),
  enforceFleet: hears('licensing.enforcement.ordered', enforceFleet),
  noteBought: hears('licensing.feature.started', (ctx, { payload, at }) =>
    noteBought(ctx, payload.feature, payload.source, at),
  ),
  releaseReactivatedTenant: hears('tenancy.tenant.reactivated', (ctx) => hold.releaseReactivatedTenant(ctx)),
};
