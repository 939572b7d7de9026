import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { BrandUpload } from './branding/brand-upload.entity.ts';
import { BrandImage, StoredBranding } from './branding/branding.entity.ts';
import { BrandingResolver } from './branding/branding.resolver.ts';
import { checkDueDomains } from './domains/check-domain.service.ts';
import { TenantDomain } from './domains/tenant-domain.entity.ts';
import { TenantDomainResolver } from './domains/tenant-domain.resolver.ts';
import { domainById } from './domains/tenant-domain.service.ts';
import { Invitation } from './invitations/invitation.entity.ts';
import { InvitationResolver } from './invitations/invitation.resolver.ts';
import { expireInvitations, invitationById } from './invitations/invitation.service.ts';
import { ClosingResolver } from './leaving/closing.resolver.ts';
import { DataExport } from './leaving/data-export.entity.ts';
import { DataExportFileResolver, DataExportResolver } from './leaving/data-export.resolver.ts';
import { dataExport, expireExports } from './leaving/data-export.service.ts';
import { endPurge } from './leaving/end-purge.service.ts';
import { FileResolver } from './leaving/file.resolver.ts';
import { LegalHold } from './leaving/legal-hold.entity.ts';
import { Purge, Tombstone } from './leaving/purge.entity.ts';
import { PurgeResolver } from './leaving/purge.resolver.ts';
import { remindPurges } from './leaving/purge.service.ts';
import { leaving } from './leaving/subscribers.ts';
import { SuspensionResolver } from './leaving/suspension.resolver.ts';
import { allTenants, ownTenants } from './loaders.ts';
import { carryMove, carryStalledMoves } from './placement/carry-move.service.ts';
import { DataHome } from './placement/data-home.entity.ts';
import { clearFormerHomes } from './placement/former-home.service.ts';
import { MoveResolver } from './placement/move.resolver.ts';
import { MoveRun } from './placement/move-run.entity.ts';
import { Placement } from './placement/placement.entity.ts';
import { PlacementResolver } from './placement/placement.resolver.ts';
import { dedicateAtlas } from './placement/seed.ts';
import { forgetCounts } from './provisioning/asked-count.service.ts';
import { ProvisioningResolver } from './provisioning/provisioning.resolver.ts';
import { takeOverStalled } from './provisioning/provisioning.service.ts';
import { ProvisioningChange, ProvisioningRun } from './provisioning/provisioning-run.entity.ts';
import { advanceRun } from './provisioning/run.service.ts';
import { closeSandboxes } from './provisioning/sandbox.service.ts';
import { SignUp } from './provisioning/sign-up.entity.ts';
import { SignUpResolver } from './provisioning/sign-up.resolver.ts';
import { lapseSignUps } from './provisioning/sign-up.service.ts';
import { subscribers as provisioning } from './provisioning/subscribers.ts';
import { seed } from './seed.ts';
import { SettingsRevision, StoredSection } from './settings/settings.entity.ts';
import { SettingsResolver } from './settings/settings.resolver.ts';
import { subscribers } from './subscribers.ts';
import { Tenant } from './tenant.entity.ts';
import { TenantResolver } from './tenant.resolver.ts';

export const tenancy: SubgraphDefinition = {
  name: 'tenancy',
  resolvers: [
    TenantResolver,
    PlacementResolver,
    MoveResolver,
    SuspensionResolver,
    ClosingResolver,
    DataExportResolver,
    DataExportFileResolver,
    PurgeResolver,
    FileResolver,
    SettingsResolver,
    InvitationResolver,
    TenantDomainResolver,
    BrandingResolver,
    ProvisioningResolver,
    SignUpResolver,
  ],
  entities: [
    Tenant,
    Placement,
    DataHome,
    MoveRun,
    LegalHold,
    DataExport,
    Purge,
    Tombstone,
    ProvisioningRun,
    ProvisioningChange,
    SignUp,
    TenantDomain,
    StoredSection,
    SettingsRevision,
    Invitation,
    StoredBranding,
    BrandImage,
    BrandUpload,
  ],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
    DataExport: (ctx, { id }) => (ctx.can('tenancy.export.request') ? dataExport(ctx, id) : null),
    Invitation: (ctx, { id }) => (ctx.can('tenancy.invitation.manage') ? invitationById(ctx, id) : null),
    TenantDomain: (ctx, { id }) => domainById(ctx, id),
  },
  isControlPlane: true,
  subscribers: { ...provisioning, ...leaving, ...subscribers },
  timers: { advanceRun, carryMove, endPurge },
  crons: {
    carryStalledMoves: { pattern: '* * * * *', run: carryStalledMoves },
    clearFormerHomes: { pattern: '23 * * * *', run: clearFormerHomes },
    expireExports: { pattern: '* * * * *', run: expireExports },
    remindPurges: { pattern: '7 * * * *', run: remindPurges },
    takeOverStalled: { pattern: '* * * * *', run: takeOverStalled },
    lapseSignUps: { pattern: '* * * * *', run: lapseSignUps },
    closeSandboxes: { pattern: '* * * * *', run: closeSandboxes },
    forgetCounts: { pattern: '0 * * * *', run: forgetCounts },
    checkDueDomains: { pattern: '* * * * *', run: checkDueDomains },
    expireInvitations: { pattern: '* * * * *', run: expireInvitations },
  },
  seed,
  seedLast: dedicateAtlas,
};
