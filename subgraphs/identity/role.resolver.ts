import { Ctx, Query, Resolver } from 'type-graphql';
import { RequiresPermission } from '../../schema/directives.ts';
import type { Context } from '../_kernel/context.ts';
import { Role } from './role.entity.ts';
import { allRolesIn } from './role.service.ts';

@Resolver(() => Role)
export class RoleResolver {
  @Query(() => [Role], { description: 'The roles there are in this tenant.' })
  @RequiresPermission('identity.role.read')
  roles(@Ctx() ctx: Context) {
    return allRolesIn(ctx.isPlatform);
  }
}
