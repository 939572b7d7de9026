import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { Plan, PlanVersion } from './plan.entity.ts';
import { catalogue, listPlans } from './plan.service.ts';
import { versionsOfPlan } from './plan-version.service.ts';

@Resolver(() => Plan)
export class PlanResolver {
  @Query(() => [Plan], { description: 'The plans on offer, cheapest first.' })
  @OpenDoor('The price list is public.')
  plans(@Ctx() ctx: Context) {
    return listPlans(ctx);
  }

  @Query(() => Plan, { nullable: true })
  @OpenDoor('The price list is public.')
  async plan(@Arg('code', () => String) code: string, @Ctx() ctx: Context) {
    return (await listPlans(ctx)).find((plan) => plan.code === code) ?? null;
  }

  @FieldResolver(() => PlanVersion, { nullable: true, description: 'The version for sale now.' })
  async currentVersion(@Root() plan: Plan, @Ctx() ctx: Context) {
    return (await catalogue(ctx)).versions.get(plan.id) ?? null;
  }

  @FieldResolver(() => [PlanVersion], {
    nullable: true,
    description: 'All there ever were, newest first, with drafts.',
  })
  @RequiresPermission('licensing.fleet.read')
  versions(@Root() plan: Plan, @Ctx() ctx: Context) {
    return ctx.load(versionsOfPlan, plan.id);
  }
}
