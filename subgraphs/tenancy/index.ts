import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { TenantDomain } from './domains/tenant-domain.entity.ts';
import { ClosingResolver } from './leaving/closing.resolver.ts';
import { DataExport } from './leaving/data-export.entity.ts';
import { DataExportFileResolver, DataExportResolver } from './leaving/data-export.resolver.ts';
import { dataExport, expireExports } from './leaving/data-export.service.ts';
import { FileResolver } from './leaving/file.resolver.ts';
import { LegalHold } from './leaving/legal-hold.entity.ts';
import { Purge, Tombstone } from './leaving/purge.entity.ts';
import { PurgeResolver } from './leaving/purge.resolver.ts';
import { remindPurges } from './leaving/purge.service.ts';
import { leaving } from './leaving/subscribers.ts';
import { SuspensionResolver } from './leaving/suspension.resolver.ts';
import { allTenants, ownTenants } from './loaders.ts';
import { carryMove, carryStalledMoves, clearFormerHomes } from './placement/carry-move.service.ts';
import { DataHome } from './placement/data-home.entity.ts';
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
import { subscribers } from './provisioning/subscribers.ts';
import { seed } from './seed.ts';
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
  ],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
    DataExport: (ctx, { id }) => (ctx.can('tenancy.export.request') ? dataExport(ctx, id) : null),
  },
  isControlPlane: true,
  subscribers: { ...subscribers, ...leaving },
  timers: { advanceRun, carryMove },
  crons: {
    carryStalledMoves: { pattern: '* * * * *', run: carryStalledMoves },
    clearFormerHomes: { pattern: '23 * * * *', run: clearFormerHomes },
    expireExports: { pattern: '* * * * *', run: expireExports },
    remindPurges: { pattern: '7 * * * *', run: remindPurges },
    takeOverStalled: { pattern: '* * * * *', run: takeOverStalled },
    lapseSignUps: { pattern: '* * * * *', run: lapseSignUps },
    closeSandboxes: { pattern: '* * * * *', run: closeSandboxes },
    forgetCounts: { pattern: '0 * * * *', run: forgetCounts },
  },
  seed,
  seedLast: dedicateAtlas,
};
