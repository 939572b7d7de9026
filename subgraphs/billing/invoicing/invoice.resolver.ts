import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { ListSize, RequiresPermission } from '../../../schema/directives.ts';
import { Money, money } from '../../../schema/money.ts';
import { connectionOf, PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer } from '../accounts/customer.entity.ts';
import { customerById } from '../accounts/loaders.ts';
import { Charge } from '../rating/charge.entity.ts';
import { Invoice } from './invoice.entity.ts';
import * as service from './invoice.service.ts';

const InvoiceConnection = connectionOf(Invoice, 'Invoice');

@Resolver(() => Invoice)
export class InvoiceResolver {
  @Query(() => Invoice, { nullable: true })
  @RequiresPermission('billing.invoice.read', { orOwn: true })
  invoice(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(service.invoiceById, id);
  }

  @FieldResolver(() => Customer)
  customer(@Root() invoice: Invoice, @Ctx() ctx: Context) {
    return ctx.load(customerById, invoice.customerId);
  }

  @FieldResolver(() => Money)
  total(@Root() invoice: Invoice) {
    return money(invoice.totalMinor, invoice.currency);
  }

  @FieldResolver(() => Money, { description: 'What is still to be paid.' })
  open(@Root() invoice: Invoice) {
    return money(invoice.openMinor, invoice.currency);
  }

  @FieldResolver(() => Boolean)
  isOverdue(@Root() { overdueSince }: Invoice) {
    return overdueSince != null;
  }

  @FieldResolver(() => [Charge], { description: 'What it is for, line by line.' })
  @ListSize(10)
  async lines(@Root() { id }: Invoice, @Ctx() ctx: Context) {
    return (await ctx.load(service.linesOfInvoice, id)) ?? [];
  }
}

@Resolver(() => Customer)
export class CustomerInvoicesResolver {
  @FieldResolver(() => InvoiceConnection, { description: 'Newest first.' })
  @RequiresPermission('billing.invoice.read', { orOwn: true })
  invoices(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    return service.invoicesOf(ctx, customer.id, page);
  }
}
