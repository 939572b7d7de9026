import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { allTenants, ownTenants } from './loaders.ts';
import { seed } from './seed.ts';
import { SettingsRevision, StoredSection } from './settings/settings.entity.ts';
import { SettingsResolver } from './settings/settings.resolver.ts';
import { Tenant } from './tenant.entity.ts';
import { TenantResolver } from './tenant.resolver.ts';

export const tenancy: SubgraphDefinition = {
  name: 'tenancy',
  resolvers: [TenantResolver, SettingsResolver],
  entities: [Tenant, StoredSection, SettingsRevision],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
  },
  isControlPlane: true,
  seed,
};
