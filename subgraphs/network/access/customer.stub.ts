import { Args, Ctx, Directive, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { SignedIn } from '../../../schema/directives.ts';
import { connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { enterOwn } from '../own.ts';
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
  @SignedIn()
  services(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    enterOwn(ctx, 'network.service.read');
    return servicesOf(ctx, customer.id, page);
  }
}
