import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from './catalogue/add-on.entity.ts';
import { AddOnResolver } from './catalogue/add-on.resolver.ts';
import { Plan, PlanVersion } from './catalogue/plan.entity.ts';
import { PlanResolver } from './catalogue/plan.resolver.ts';
import { addOnByKey, planByKey, planVersionById } from './catalogue/plan.service.ts';
import { PlanVersionResolver } from './catalogue/plan-version.resolver.ts';
import { LicenseInvoice } from './changes/license-invoice.entity.ts';
import { PlanChangeResolver } from './changes/plan-change.resolver.ts';
import { PlanMigration } from './changes/plan-migration.entity.ts';
import { PlanMigrationResolver } from './changes/plan-migration.resolver.ts';
import { planMigrationById } from './changes/plan-migration.service.ts';
import { carryOnMigrations } from './changes/plan-migration-run.service.ts';
import { TrialExtensionResolver } from './changes/trial-extension.resolver.ts';
import { UpgradeOptionResolver } from './changes/upgrade-option.resolver.ts';
import { Denial } from './denials/denial.entity.ts';
import { DenialResolver } from './denials/denial.resolver.ts';
import { pruneDenials } from './denials/denial.service.ts';
import { LicenseFile } from './files/license-file.entity.ts';
import { LicenseFileResolver } from './files/license-file.resolver.ts';
import { licenseFileById } from './files/license-file.service.ts';
import { RevocationList } from './files/revocation-list.entity.ts';
import { tendRevocations } from './files/revocation-list.service.ts';
import { SigningKey } from './files/signing-key.entity.ts';
import { SigningKeyResolver } from './files/signing-key.resolver.ts';
import { prepareSigningKeys, tendSigningKeys } from './files/signing-key.service.ts';
import { BackfillResolver } from './fleet/backfill.resolver.ts';
import { EnforcementResolver } from './fleet/enforcement.resolver.ts';
import { FeatureTrialResolver } from './fleet/feature-trial.resolver.ts';
import { GrantResolver } from './fleet/grant.resolver.ts';
import { HoldResolver } from './fleet/hold.resolver.ts';
import { OverrideResolver } from './fleet/override.resolver.ts';
import { RefreshResolver } from './fleet/refresh.resolver.ts';
import { LicenseRevocation } from './fleet/revocation.entity.ts';
import { RevocationResolver } from './fleet/revocation.resolver.ts';
import { alertOfUnlicensed } from './fleet/unlicensed.service.ts';
import { GatewayFeedResolver } from './gateways/gateway-feed.resolver.ts';
import { prunePropagation } from './gateways/propagation-stats.service.ts';
import { License } from './licenses/license.entity.ts';
import { LicenseResolver } from './licenses/license.resolver.ts';
import { licenseById } from './licenses/license.service.ts';
import { LicenseChange } from './licenses/license-change.entity.ts';
import { LicenseChangeResolver } from './licenses/license-change.resolver.ts';
import { advanceLicense, licenseChangeById } from './licenses/license-change.service.ts';
import { LicenseFieldsResolver } from './licenses/license-fields.resolver.ts';
import { LicenseUpdateResolver } from './licenses/license-update.resolver.ts';
import { PlannedChange } from './licenses/planned-change.entity.ts';
import { seed } from './seed.ts';
import { subscribers } from './subscribers.ts';
import {
  advanceLicenses,
  cancelUnpaidChanges,
  closeAllUsage,
  lapseLicenses,
  refreshAllEntitlements,
  renewLicenses,
} from './sweeps.ts';
import { Tenant, TenantStubResolver } from './tenant.stub.ts';
import { Grant } from './terms/grant.entity.ts';
import { Hold } from './terms/hold.entity.ts';
import { Override } from './terms/override.entity.ts';
import { ApiCallLeaseResolver } from './usage/api-call-lease.resolver.ts';
import { QuotaUsageResolver } from './usage/quota-usage.resolver.ts';
import { TopUpResolver } from './usage/top-up.resolver.ts';
import { UsageDayResolver } from './usage/usage-day.resolver.ts';
import { UsageRecordResolver } from './usage/usage-record.resolver.ts';
import { UsageUpdateResolver } from './usage/usage-update.resolver.ts';

export const licensing: SubgraphDefinition = {
  name: 'licensing',
  isOpenWhileSuspended: true,
  resolvers: [
    PlanResolver,
    PlanVersionResolver,
    AddOnResolver,
    LicenseResolver,
    LicenseFieldsResolver,
    LicenseChangeResolver,
    LicenseUpdateResolver,
    PlanChangeResolver,
    UpgradeOptionResolver,
    PlanMigrationResolver,
    OverrideResolver,
    HoldResolver,
    BackfillResolver,
    GrantResolver,
    FeatureTrialResolver,
    TrialExtensionResolver,
    RevocationResolver,
    RefreshResolver,
    QuotaUsageResolver,
    TopUpResolver,
    UsageDayResolver,
    UsageRecordResolver,
    UsageUpdateResolver,
    ApiCallLeaseResolver,
    TenantStubResolver,
    GatewayFeedResolver,
    DenialResolver,
    EnforcementResolver,
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
    PlannedChange,
    LicenseInvoice,
    Override,
    Grant,
    Hold,
    LicenseRevocation,
    PlanMigration,
    Denial,
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
    PlanMigration: (ctx, { id }) =>
      ctx.can('licensing.catalog.manage') ? planMigrationById(ctx, id) : Promise.resolve(null),
    LicenseFile: (ctx, { id }) => licenseFileById(ctx, id),
  },
  subscribers,
  crons: {
    advanceLicenses: { pattern: '* * * * *', run: advanceLicenses },
    lapseLicenses: { pattern: '* * * * *', run: lapseLicenses },
    alertOfUnlicensed: { pattern: '47 * * * *', run: async (ctx) => void (await alertOfUnlicensed(ctx)) },
    renewLicenses: { pattern: '* * * * *', run: renewLicenses },
    cancelUnpaidChanges: { pattern: '17 * * * *', run: cancelUnpaidChanges },
    closeAllUsage: { pattern: '* * * * *', run: closeAllUsage },
    carryOnMigrations: { pattern: '* * * * *', run: carryOnMigrations },
    pruneDenials: { pattern: '20 3 * * *', run: pruneDenials },
    prunePropagation: { pattern: '40 3 * * *', run: prunePropagation },
    tendRevocations: { pattern: '* * * * *', run: tendRevocations },
    tendSigningKeys: { pattern: '20 1 * * *', run: tendSigningKeys },
  },
  timers: { advanceLicense, migratePlans: carryOnMigrations },
  onStart: async (ctx) => {
    await refreshAllEntitlements(ctx);
    await prepareSigningKeys(ctx);
  },
  isControlPlane: true,
  seed,
};
