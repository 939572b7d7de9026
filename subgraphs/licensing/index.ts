import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from './catalogue/add-on.entity.ts';
import { AddOnResolver } from './catalogue/add-on.resolver.ts';
import { Plan, PlanVersion } from './catalogue/plan.entity.ts';
import { PlanResolver, PlanVersionResolver } from './catalogue/plan.resolver.ts';
import { addOnByKey, planByKey, planVersionById } from './catalogue/plan.service.ts';
import { UpgradeResolver } from './changes/upgrade.resolver.ts';
import { Denial } from './denials/denial.entity.ts';
import { DenialResolver } from './denials/denial.resolver.ts';
import { pruneDenials } from './denials/denial.service.ts';
import { EnforcementResolver } from './fleet/enforcement.resolver.ts';
import { HoldResolver } from './fleet/hold.resolver.ts';
import { OverrideResolver } from './fleet/override.resolver.ts';
import { GatewayNode } from './gateways/gateway-feed.entity.ts';
import { GatewayFeedResolver } from './gateways/gateway-feed.resolver.ts';
import { prunePropagation } from './gateways/propagation-stats.service.ts';
import { License } from './licenses/license.entity.ts';
import { LicenseResolver } from './licenses/license.resolver.ts';
import { licenseById } from './licenses/license.service.ts';
import { LicenseChange } from './licenses/license-change.entity.ts';
import { LicenseChangeResolver } from './licenses/license-change.resolver.ts';
import { licenseChangeById } from './licenses/license-change.service.ts';
import { LicenseFieldsResolver } from './licenses/license-fields.resolver.ts';
import { LicenseUpdateResolver } from './licenses/license-update.resolver.ts';
import { seed } from './seed.ts';
import { subscribers } from './subscribers.ts';
import { advanceLicenses, refreshAllEntitlements } from './sweeps.ts';
import { Tenant, TenantStubResolver } from './tenant.stub.ts';
import { Grant } from './terms/grant.entity.ts';
import { Hold } from './terms/hold.entity.ts';
import { Override } from './terms/override.entity.ts';
import { QuotaUsageResolver } from './usage/quota-usage.resolver.ts';

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
    DenialResolver,
    EnforcementResolver,
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
    Denial,
  ],
  references: {
    Plan: planByKey,
    PlanVersion: (ctx, { id }) => planVersionById(ctx, id),
    AddOn: addOnByKey,
    License: (ctx, { id }) => licenseById(ctx, id),
    LicenseChange: (ctx, { id }) => licenseChangeById(ctx, id),
  },
  subscribers,
  crons: {
    advanceLicenses: { pattern: '* * * * *', run: advanceLicenses },
    pruneDenials: { pattern: '20 3 * * *', run: pruneDenials },
    prunePropagation: { pattern: '40 3 * * *', run: prunePropagation },
  },
  onStart: refreshAllEntitlements,
  isControlPlane: true,
  seed,
};
