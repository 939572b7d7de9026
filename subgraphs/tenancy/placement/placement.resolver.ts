import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../_kernel/context.ts';
import { Tenant } from '../tenant.entity.ts';
import { Placement } from './placement.entity.ts';
import { allPlacements, ownPlacements } from './placement.service.ts';

@Resolver(() => Tenant)
export class PlacementResolver {
  @FieldResolver(() => Placement)
  placement(@Root() { id }: Tenant, @Ctx() ctx: Context) {
    return ctx.load(id === ctx.tenantId ? ownPlacements : allPlacements, id);
  }
}
