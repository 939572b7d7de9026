import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { allTenants, ownTenants } from './loaders.ts';
import { carryMove, carryStalledMoves, clearFormerHomes } from './placement/carry-move.service.ts';
import { DataHome } from './placement/data-home.entity.ts';
import { MoveResolver } from './placement/move.resolver.ts';
import { MoveRun } from './placement/move-run.entity.ts';
import { Placement } from './placement/placement.entity.ts';
import { PlacementResolver } from './placement/placement.resolver.ts';
import { dedicateAtlas } from './placement/seed.ts';
import { seed } from './seed.ts';
import { Tenant } from './tenant.entity.ts';
import { TenantResolver } from './tenant.resolver.ts';

export const tenancy: SubgraphDefinition = {
  name: 'tenancy',
  resolvers: [TenantResolver, PlacementResolver, MoveResolver],
  entities: [Tenant, Placement, DataHome, MoveRun],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
  },
  timers: { carryMove },
  crons: {
    carryStalledMoves: { pattern: '* * * * *', run: carryStalledMoves },
    clearFormerHomes: { pattern: '23 * * * *', run: clearFormerHomes },
  },
  isControlPlane: true,
  seed,
  seedLast: dedicateAtlas,
};
