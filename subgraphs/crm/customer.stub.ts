import { Ctx, Directive, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { RequiresFeature, RequiresPermission } from '../../schema/directives.ts';
import type { Context } from '../_kernel/context.ts';
import { Contact } from './people/contact.entity.ts';
import { contactsOfCustomer } from './people/loaders.ts';

@ObjectType('Customer')
@Directive('@key(fields: "id")')
export class Customer {
  @Field(() => ID) id!: string;
}

@Resolver(() => Customer)
export class CustomerContactsResolver {
  @FieldResolver(() => [Contact], {
    nullable: true,
    description: 'Who stands behind the customer, the primary contact first.',
  })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.read')
  async contacts(@Root() customer: Customer, @Ctx() ctx: Context) {
    return (await ctx.load(contactsOfCustomer, customer.id)) ?? [];
  }
}
