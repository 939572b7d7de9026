import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { TenantDomain } from './domains/tenant-domain.entity.ts';
import { allTenants, ownTenants } from './loaders.ts';
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
  resolvers: [TenantResolver, ProvisioningResolver, SignUpResolver],
  entities: [Tenant, ProvisioningRun, ProvisioningChange, SignUp, TenantDomain],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
  },
  isControlPlane: true,
  subscribers,
  timers: { advanceRun },
  crons: {
    takeOverStalled: { pattern: '* * * * *', run: takeOverStalled },
    lapseSignUps: { pattern: '* * * * *', run: lapseSignUps },
    closeSandboxes: { pattern: '* * * * *', run: closeSandboxes },
    forgetCounts: { pattern: '0 * * * *', run: forgetCounts },
  },
  seed,
};
