import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from './add-on.entity.ts';
import { AddOnResolver } from './add-on.resolver.ts';
import { GatewayNode } from './gateway-feed.entity.ts';
import { GatewayFeedResolver } from './gateway-feed.resolver.ts';
import { Grant } from './grant.entity.ts';
import { Hold } from './hold.entity.ts';
import { HoldResolver } from './hold.resolver.ts';
import { License } from './license.entity.ts';
import { LicenseResolver } from './license.resolver.ts';
import { licenseById } from './license.service.ts';
import { LicenseChange } from './license-change.entity.ts';
import { LicenseChangeResolver } from './license-change.resolver.ts';
import { licenseChangeById } from './license-change.service.ts';
import { LicenseFieldsResolver } from './license-fields.resolver.ts';
import { LicenseUpdateResolver } from './license-update.resolver.ts';
import { Override } from './override.entity.ts';
import { OverrideResolver } from './override.resolver.ts';
import { Plan, PlanVersion } from './plan.entity.ts';
import { PlanResolver, PlanVersionResolver } from './plan.resolver.ts';
import { addOnByKey, planByKey, planVersionById } from './plan.service.ts';
import { QuotaUsageResolver } from './quota-usage.resolver.ts';
import { seed } from './seed.ts';
import { subscribers } from './subscribers.ts';
import { advanceLicenses, refreshAllEntitlements } from './sweeps.ts';
import { Tenant, TenantStubResolver } from './tenant.stub.ts';
import { UpgradeResolver } from './upgrade.resolver.ts';

export const licensing: SubgraphDefinition = {
  name: 'licensing',
  resolvers: [
    PlanResolver,
    PlanVersionResolver,
    AddOnResolver,
    LicenseResolver,
    LicenseFieldsResolver,
    LicenseChangeResolver,
    LicenseUpdateResolver,
    UpgradeResolver,
    OverrideResolver,
    HoldResolver,
    QuotaUsageResolver,
    TenantStubResolver,
    GatewayFeedResolver,
  ],
  types: [Tenant],
  entities: [
    Plan,
    PlanVersion,
    AddOn,
    AddOnVersion,
    License,
    LicenseAddOn,
    LicenseChange,
    Override,
    Grant,
    Hold,
    GatewayNode,
  ],
  references: {
    Plan: planByKey,
    PlanVersion: (ctx, { id }) => planVersionById(ctx, id),
    AddOn: addOnByKey,
    License: (ctx, { id }) => licenseById(ctx, id),
    LicenseChange: (ctx, { id }) => licenseChangeById(ctx, id),
  },
  subscribers,
  crons: { advanceLicenses: { pattern: '* * * * *', run: advanceLicenses } },
  onStart: refreshAllEntitlements,
  isControlPlane: true,
  seed,
};
