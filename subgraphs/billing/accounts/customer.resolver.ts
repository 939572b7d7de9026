import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { AddressInput } from '../../../schema/address.ts';
import { Continuity, RequiresPermission, SignedIn } from '../../../schema/directives.ts';
import { Money, money } from '../../../schema/money.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { CurrencyCode, TimeZone } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { customerBalances } from '../ledger/loaders.ts';
import { amountIn } from '../ledger/posting.rules.ts';
import { Customer, CustomerKindEnum, CustomerStatusEnum } from './customer.entity.ts';
import type { CustomerKind, CustomerStatus } from './customer.rules.ts';
import * as service from './customer.service.ts';
import { customerById } from './loaders.ts';

const CustomerConnection = connectionOf(Customer, 'Customer');
const CustomerPayload = payloadOf('CustomerPayload', 'customer', () => Customer);

@InputType()
class CustomerFilter {
  @Field(() => String, { nullable: true, description: 'Anywhere in name, number or e-mail.' }) text?: string | null;
  @Field(() => CustomerStatusEnum, { nullable: true }) status?: CustomerStatus | null;
}

@InputType()
class CreateCustomerInput {
  @Field(() => String, { description: '1 to 200 characters.' }) name!: string;
  @Field(() => CustomerKindEnum) kind!: CustomerKind;
  @Field(() => String, { nullable: true }) email?: string | null;
  @Field(() => String, { nullable: true }) phone?: string | null;
  @Field(() => AddressInput, { nullable: true }) billingAddress?: AddressInput | null;
  @Field(() => CurrencyCode, { nullable: true, description: "The tenant's, unless given." }) currency?: string | null;
  @Field(() => TimeZone, { nullable: true, description: "The tenant's, unless given." }) timeZone?: string | null;
  @Field(() => Int, { nullable: true, description: 'Today, unless given.' }) billingDay?: number | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) locale?: string | null;
}

@InputType({ description: 'What is left out stays; null clears.' })
class UpdateCustomerInput {
  @Field(() => ID) customerId!: string;
  @Field(() => Int) expectedVersion!: number;
  @Field(() => String, { nullable: true, description: '1 to 200 characters.' }) name?: string;
  @Field(() => String, { nullable: true }) email?: string | null;
  @Field(() => String, { nullable: true }) phone?: string | null;
  @Field(() => AddressInput, { nullable: true }) billingAddress?: AddressInput | null;
  @Field(() => TimeZone, { nullable: true }) timeZone?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) locale?: string | null;
}

@InputType()
class CloseCustomerInput {
  @Field(() => ID) customerId!: string;
}

@InputType()
class ReopenCustomerInput {
  @Field(() => ID) customerId!: string;
}

@Resolver(() => Customer)
export class CustomerResolver {
  @Query(() => Customer, { nullable: true, description: 'The account a portal customer speaks for; null for staff.' })
  @SignedIn()
  myAccount(@Ctx() ctx: Context) {
    return ctx.envelope.customerId ? ctx.load(customerById, ctx.envelope.customerId) : null;
  }

  @Query(() => Customer, { nullable: true })
  @RequiresPermission('billing.customer.read', { orOwn: true })
  customer(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(customerById, id);
  }

  @Query(() => CustomerConnection, { description: 'Customers in the order they came.' })
  @RequiresPermission('billing.customer.read')
  customers(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => CustomerFilter, { nullable: true }) filter: CustomerFilter | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listCustomers(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => Money, { description: 'What it owes; below zero, what it has paid ahead.' })
  async balance(@Root() customer: Customer, @Ctx() ctx: Context) {
    const amounts = await ctx.load(customerBalances, customer.id);
    return money(amountIn(amounts ?? [], customer.currency), customer.currency);
  }

  @Mutation(() => CustomerPayload)
  @RequiresPermission('billing.customer.manage')
  createCustomer(@Arg('input', () => CreateCustomerInput) input: CreateCustomerInput, @Ctx() ctx: Context) {
    return payload(async () => ({ customer: await service.createCustomer(ctx, input) }));
  }

  @Mutation(() => CustomerPayload)
  @RequiresPermission('billing.customer.manage')
  @Continuity()
  updateCustomer(@Arg('input', () => UpdateCustomerInput) input: UpdateCustomerInput, @Ctx() ctx: Context) {
    return payload(async () => ({ customer: await service.updateCustomer(ctx, input) }));
  }

  @Mutation(() => CustomerPayload)
  @RequiresPermission('billing.customer.manage')
  @Continuity()
  closeCustomer(@Arg('input', () => CloseCustomerInput) input: CloseCustomerInput, @Ctx() ctx: Context) {
    return payload(async () => ({ customer: await service.closeCustomer(ctx, input.customerId) }));
  }

  @Mutation(() => CustomerPayload)
  @RequiresPermission('billing.customer.manage')
  @Continuity()
  reopenCustomer(@Arg('input', () => ReopenCustomerInput) input: ReopenCustomerInput, @Ctx() ctx: Context) {
    return payload(async () => ({ customer: await service.reopenCustomer(ctx, input.customerId) }));
  }
}
