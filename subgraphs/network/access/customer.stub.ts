import { Args, Ctx, Directive, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { servicesOf } from './loaders.ts';
import { Service } from './service.entity.ts';

/** Billing's customer. */
@ObjectType('Customer')
@Directive('@key(fields: "id")')
export class Customer {
  @Field(() => ID) id!: string;
}

export const ServiceConnection = connectionOf(Service, 'Service');

@Resolver(() => Customer)
export class CustomerServicesResolver {
  @FieldResolver(() => ServiceConnection, { description: 'In the order they were asked for.' })
  @RequiresPermission('network.service.read', { orOwn: true })
  services(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    return servicesOf(ctx, customer.id, page);
  }
}
