import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AddressInput } from '../../../schema/address.ts';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { GeoPointInput } from '../../../schema/geo.ts';
import { checkPage, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer, ServiceConnection } from './customer.stub.ts';
import { planById, serviceById } from './loaders.ts';
import { Premises, Service, ServiceStatusEnum } from './service.entity.ts';
import { type ServiceStatus, statusOf } from './service.rules.ts';
import * as service from './service.service.ts';
import { ServicePlan } from './service-plan.entity.ts';

const ServicePayload = payloadOf('ServicePayload', 'service', () => Service);

@InputType()
class ServiceFilter {
  @Field(() => ID, { nullable: true }) customerId?: string | null;
  @Field(() => ServiceStatusEnum, { nullable: true }) status?: ServiceStatus | null;
}

@InputType()
class PremisesInput {
  @Field(() => AddressInput) address!: AddressInput;
  @Field(() => GeoPointInput, { nullable: true }) point?: GeoPointInput | null;
}

@InputType()
class RequestServiceInput {
  @Field(() => ID) customerId!: string;
  @Field(() => String, { description: 'Its newest number is taken.' }) planCode!: string;
  @Field(() => PremisesInput) premises!: PremisesInput;
  @Field(() => String, { description: 'Asked again with it, the first answer comes back.' }) idempotencyKey!: string;
}

@InputType()
class CancelServiceInput {
  @Field(() => ID) serviceId!: string;
  @Field(() => String, { description: 'Asked again with it, the first answer comes back.' }) idempotencyKey!: string;
}

@Resolver(() => Service)
export class ServiceResolver {
  @Query(() => Service, { nullable: true })
  @RequiresPermission('network.service.read', { orOwn: true })
  service(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(serviceById, id);
  }

  @Query(() => ServiceConnection, { description: 'In the order they were asked for.' })
  @RequiresPermission('network.service.read', { orOwn: true })
  services(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ServiceFilter, { nullable: true }) filter: ServiceFilter | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listServices(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => Customer)
  customer(@Root() { customerId }: Service): Customer {
    return { id: customerId };
  }

  @FieldResolver(() => ServicePlan)
  plan(@Root() { planId }: Service, @Ctx() ctx: Context) {
    return ctx.load(planById, planId);
  }

  @FieldResolver(() => ServiceStatusEnum)
  status(@Root() { lifecycle }: Service) {
    return statusOf(lifecycle);
  }

  @FieldResolver(() => Premises)
  premises(@Root() { premisesAddress, longitude, latitude }: Service): Premises {
    return { address: premisesAddress, point: longitude == null || latitude == null ? null : { longitude, latitude } };
  }

  @Mutation(() => ServicePayload)
  @RequiresPermission('network.service.provision')
  requestService(@Arg('input', () => RequestServiceInput) input: RequestServiceInput, @Ctx() ctx: Context) {
    return payload(async () => ({ service: await service.requestService(ctx, input) }));
  }

  @Mutation(() => ServicePayload, { description: 'Withdraws a service that has not begun.' })
  @RequiresPermission('network.service.provision')
  @Continuity()
  cancelService(@Arg('input', () => CancelServiceInput) input: CancelServiceInput, @Ctx() ctx: Context) {
    return payload(async () => ({ service: await service.cancelService(ctx, input) }));
  }
}
