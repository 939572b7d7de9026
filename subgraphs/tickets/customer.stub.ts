import { Args, Ctx, Directive, Field, FieldResolver, ID, Int, ObjectType, Resolver, Root } from 'type-graphql';
import { RequiresFeature, RequiresPermission } from '../../schema/directives.ts';
import { checkPage, PageArgs } from '../../schema/page.ts';
import type { Context } from '../_kernel/context.ts';
import { loadPage } from '../_kernel/pages.ts';
import { openCountOfCustomer, ticketsOfCustomer } from './desk/loaders.ts';
import { TicketConnection } from './desk/ticket-connection.ts';

@ObjectType('Customer')
@Directive('@key(fields: "id")')
export class Customer {
  @Field(() => ID) id!: string;
}

@Resolver(() => Customer)
export class CustomerTicketsResolver {
  @FieldResolver(() => TicketConnection, { nullable: true, description: 'Newest first.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  tickets(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return loadPage(ctx, ticketsOfCustomer, customer.id, page, null);
  }

  @FieldResolver(() => Int, { nullable: true, description: 'Tickets that are NEW, OPEN or WAITING.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  async openTicketCount(@Root() customer: Customer, @Ctx() ctx: Context) {
    return (await ctx.load(openCountOfCustomer, customer.id)) ?? 0;
  }
}
