import { Arg, Args, Ctx, Field, ID, InputType, Int, Mutation, Query, Resolver } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { type Technology, TechnologyEnum } from '../../../schema/technology.ts';
import type { Context } from '../../_kernel/context.ts';
import { PlanStateEnum, ServicePlan, ServicePlanKindEnum } from './service-plan.entity.ts';
import type { PlanState, ServicePlanKind } from './service-plan.rules.ts';
import * as service from './service-plan.service.ts';

const ServicePlanConnection = connectionOf(ServicePlan, 'ServicePlan');
const ServicePlanPayload = payloadOf('ServicePlanPayload', 'servicePlan', () => ServicePlan);

@InputType()
class PublishServicePlanInput {
  @Field(() => String, { description: 'A new one, or that of the plan this is the next number of.' }) code!: string;
  @Field(() => ServicePlanKindEnum) kind!: ServicePlanKind;
  @Field(() => TechnologyEnum) technology!: Technology;
  @Field(() => Int) downKbps!: number;
  @Field(() => Int) upKbps!: number;
}

@InputType()
class RetireServicePlanInput {
  @Field(() => ID) servicePlanId!: string;
}

@Resolver(() => ServicePlan)
export class ServicePlanResolver {
  @Query(() => ServicePlan, {
    nullable: true,
    description: 'The newest number of a code. A customer sees what is on sale.',
  })
  @RequiresPermission('network.plan.read', { orOwn: true })
  servicePlan(@Arg('code', () => String) code: string, @Ctx() ctx: Context) {
    return service.servicePlan(ctx, code);
  }

  @Query(() => ServicePlanConnection, { description: 'By code, then number. A customer sees what is on sale.' })
  @RequiresPermission('network.plan.read', { orOwn: true })
  servicePlans(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('state', () => PlanStateEnum, { nullable: true }) state: PlanState | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listServicePlans(ctx, state, page);
  }

  @Mutation(() => ServicePlanPayload)
  @RequiresPermission('network.plan.manage')
  publishServicePlan(@Arg('input', () => PublishServicePlanInput) input: PublishServicePlanInput, @Ctx() ctx: Context) {
    return payload(async () => ({ servicePlan: await service.publishServicePlan(ctx, input) }));
  }

  @Mutation(() => ServicePlanPayload)
  @RequiresPermission('network.plan.manage')
  retireServicePlan(@Arg('input', () => RetireServicePlanInput) input: RetireServicePlanInput, @Ctx() ctx: Context) {
    return payload(async () => ({ servicePlan: await service.retireServicePlan(ctx, input.servicePlanId) }));
  }
}
