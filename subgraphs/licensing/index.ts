import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from './catalogue/add-on.entity.ts';
import { AddOnResolver } from './catalogue/add-on.resolver.ts';
import { Plan, PlanVersion } from './catalogue/plan.entity.ts';
import { PlanResolver, PlanVersionResolver } from './catalogue/plan.resolver.ts';
import { addOnByKey, planByKey, planVersionById } from './catalogue/plan.service.ts';
import { UpgradeResolver } from './changes/upgrade.resolver.ts';
import { LicenseFile } from './files/license-file.entity.ts';
import { LicenseFileResolver } from './files/license-file.resolver.ts';
import { licenseFileById } from './files/license-file.service.ts';
import { RevocationList } from './files/revocation-list.entity.ts';
import { tendRevocations } from './files/revocation-list.service.ts';
import { SigningKey } from './files/signing-key.entity.ts';
import { SigningKeyResolver } from './files/signing-key.resolver.ts';
import { prepareSigningKeys, tendSigningKeys } from './files/signing-key.service.ts';
import { HoldResolver } from './fleet/hold.resolver.ts';
import { OverrideResolver } from './fleet/override.resolver.ts';
import { GatewayNode } from './gateways/gateway-feed.entity.ts';
import { GatewayFeedResolver } from './gateways/gateway-feed.resolver.ts';
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
    LicenseFileResolver,
    SigningKeyResolver,
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
    LicenseFile,
    SigningKey,
    RevocationList,
  ],
  references: {
    Plan: planByKey,
    PlanVersion: (ctx, { id }) => planVersionById(ctx, id),
    AddOn: addOnByKey,
    License: (ctx, { id }) => licenseById(ctx, id),
    LicenseChange: (ctx, { id }) => licenseChangeById(ctx, id),
    LicenseFile: (ctx, { id }) => licenseFileById(ctx, id),
  },
  subscribers,
  crons: {
    advanceLicenses: { pattern: '* * * * *', run: advanceLicenses },
    tendRevocations: { pattern: '* * * * *', run: tendRevocations },
    tendSigningKeys: { pattern: '20 1 * * *', run: tendSigningKeys },
  },
  onStart: async (ctx) => {
    await refreshAllEntitlements(ctx);
    await prepareSigningKeys(ctx);
  },
  isControlPlane: true,
  seed,
};
