import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { seed } from './seed.ts';
import { Tenant } from './tenant.entity.ts';
import { TenantResolver } from './tenant.resolver.ts';
import { ownTenant, tenantById } from './tenant.service.ts';

export const tenancy: SubgraphDefinition = {
  name: 'tenancy',
  resolvers: [TenantResolver],
  entities: [Tenant],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ownTenant(ctx);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? tenantById(ctx, id) : null;
    },
  },
  isControlPlane: true,
  seed,
};
