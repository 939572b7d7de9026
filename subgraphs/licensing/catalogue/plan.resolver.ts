import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { OpenDoor } from '../../../schema/directives.ts';
import { Money, money } from '../../../schema/money.ts';
import type { Context } from '../../_kernel/context.ts';
import { Plan, PlanLimitNode, PlanVersion } from './plan.entity.ts';
import { planLimitsOf } from './plan.rules.ts';
import { catalogue, listPlans } from './plan.service.ts';

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
}

@Resolver(() => PlanVersion)
export class PlanVersionResolver {
  @FieldResolver(() => Plan)
  async plan(@Root() version: PlanVersion, @Ctx() ctx: Context) {
    return (await catalogue(ctx)).plans.find((plan) => plan.id === version.planId);
  }

  @FieldResolver(() => Money, { description: 'Per month, net of tax.' })
  price(@Root() version: PlanVersion) {
    return money(version.priceMinor, version.currency);
  }

  @FieldResolver(() => [PlanLimitNode])
  limits(@Root() version: PlanVersion) {
    return planLimitsOf(version.limits);
  }
}
