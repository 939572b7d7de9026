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
  Subscription,
} from 'type-graphql';
import { RequiresFeature, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { orCurrent, payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer } from '../customer.stub.ts';
import { ContactChange, contactChanges } from './contact.changes.ts';
import {
  Contact,
  ContactKindEnum,
  ContactLink,
  ContactPoint,
  ContactPointTypeEnum,
  ContactRoleEnum,
  ContactStatusEnum,
} from './contact.entity.ts';
import type { ContactKind, ContactRole, ContactStatus } from './contact.rules.ts';
import * as service from './contact.service.ts';
import type { PointType } from './contact-point.rules.ts';
import { contactById, linksOfContact, pointsOfContact } from './loaders.ts';

const ContactConnection = connectionOf(Contact, 'Contact');
const ContactPayload = payloadOf('ContactPayload', 'contact', () => Contact);

@InputType()
class ContactFilter {
  @Field(() => String, {
    nullable: true,
    description: 'Part of a name, e-mail address or number; 2 to 100 characters.',
  })
  text?: string | null;
  @Field(() => ID, { nullable: true }) customerId?: string | null;
  @Field(() => ContactStatusEnum, { nullable: true }) status?: ContactStatus | null;
}

@InputType()
class ContactPointInput {
  @Field(() => ContactPointTypeEnum) type!: PointType;
  @Field(() => String, { description: 'A number without a country code is one of the tenant’s country.' })
  value!: string;
  @Field(() => String, { nullable: true, description: '1 to 7 digits.' }) extension?: string | null;
  @Field(() => String, { nullable: true, description: 'At most 60 characters.' }) label?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Without one, the first of its type.' }) isPrimary?:
    | boolean
    | null;
}

@InputType()
class CreateContactInput {
  @Field(() => ContactKindEnum, { defaultValue: 'PERSON' }) kind!: ContactKind;
  @Field(() => String, { description: '1 to 200 characters.' }) displayName!: string;
  @Field(() => String, { nullable: true }) givenName?: string | null;
  @Field(() => String, { nullable: true }) familyName?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) language?: string | null;
  @Field(() => [ContactPointInput], { defaultValue: [], description: 'At most 20.' }) points!: ContactPointInput[];
}

@InputType({ description: 'What is left out stays as it is.' })
class UpdateContactInput {
  @Field(() => ID) contactId!: string;
  @Field(() => Int) expectedVersion!: number;
  @Field(() => ContactKindEnum, { nullable: true }) kind?: ContactKind;
  @Field(() => String, { nullable: true }) displayName?: string;
  @Field(() => String, { nullable: true }) givenName?: string | null;
  @Field(() => String, { nullable: true }) familyName?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) language?: string | null;
  @Field(() => ContactStatusEnum, { nullable: true }) status?: ContactStatus | null;
  @Field(() => [ContactPointInput], { nullable: true, description: 'All points the contact is to have.' }) points?:
    | ContactPointInput[]
    | null;
}

@InputType()
abstract class ContactLinkInput {
  @Field(() => ID) contactId!: string;
  @Field(() => ID) customerId!: string;
  @Field(() => ContactRoleEnum) role!: ContactRole;
}

@InputType()
class LinkContactInput extends ContactLinkInput {}

@InputType()
class UnlinkContactInput extends ContactLinkInput {}

@Resolver(() => Contact)
export class ContactResolver {
  @Query(() => Contact, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.read')
  contact(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(contactById, id);
  }

  @Query(() => ContactConnection, { nullable: true, description: 'Contacts by name.' })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.read')
  contacts(
    @Arg('filter', () => ContactFilter, { nullable: true }) filter: ContactFilter | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listContacts(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => [ContactPoint], { description: 'The ways to reach it.' })
  async points(@Root() contact: Contact, @Ctx() ctx: Context) {
    return (await ctx.load(pointsOfContact, contact.id)) ?? [];
  }

  @FieldResolver(() => [ContactLink], { description: 'What it is to customers now.' })
  async links(@Root() contact: Contact, @Ctx() ctx: Context) {
    return (await ctx.load(linksOfContact, contact.id)) ?? [];
  }

  @Mutation(() => ContactPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.manage')
  createContact(@Arg('input', () => CreateContactInput) input: CreateContactInput, @Ctx() ctx: Context) {
    return payload(async () => ({ contact: await service.createContact(ctx, input) }));
  }

  @Mutation(() => ContactPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.manage')
  updateContact(@Arg('input', () => UpdateContactInput) input: UpdateContactInput, @Ctx() ctx: Context) {
    const answer = payload(async () => ({ contact: await service.updateContact(ctx, input) }));
    return orCurrent(answer, async () => ({ contact: await ctx.load(contactById, input.contactId) }));
  }

  @Mutation(() => ContactPayload, {
    nullable: true,
    description: 'A new PRIMARY contact takes the place of the one before.',
  })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.manage')
  linkContact(@Arg('input', () => LinkContactInput) input: LinkContactInput, @Ctx() ctx: Context) {
    return payload(async () => ({ contact: await service.linkContact(ctx, input) }));
  }

  @Mutation(() => ContactPayload, { nullable: true })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.manage')
  unlinkContact(@Arg('input', () => UnlinkContactInput) input: UnlinkContactInput, @Ctx() ctx: Context) {
    return payload(async () => ({ contact: await service.unlinkContact(ctx, input) }));
  }

  @Subscription(() => ContactChange, {
    description:
      'The contacts of a customer, or of all, then each change of one. `after` goes on where a cursor stands.',
    subscribe: ({ context, args }) =>
      contactChanges(context as Context, args.customerId ?? null, args.after ?? null) as never,
  })
  @RequiresFeature('crm')
  @RequiresPermission('crm.contact.read')
  contactsChanged(
    @Root() change: ContactChange,
    @Arg('customerId', () => ID, { nullable: true }) _customerId: string | null,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): ContactChange {
    return change;
  }
}

@Resolver(() => ContactLink)
export class ContactLinkResolver {
  @FieldResolver(() => Customer)
  customer(@Root() link: ContactLink): Customer {
    return { id: link.customerId };
  }
}

@Resolver(() => ContactChange)
export class ContactChangeResolver {
  @FieldResolver(() => Contact, { nullable: true, description: 'As it is now; null where a snapshot is empty.' })
  contact(@Root() change: ContactChange, @Ctx() ctx: Context) {
    return change.contactId ? ctx.load(contactById, change.contactId) : null;
  }
}
