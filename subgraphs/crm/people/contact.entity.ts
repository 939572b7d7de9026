import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { ContactKind, ContactRole, ContactStatus } from './contact.rules.ts';
import type { PointType } from './contact-point.rules.ts';

export const ContactKindEnum = { PERSON: 'PERSON', ORGANISATION: 'ORGANISATION' } as const;
export const ContactStatusEnum = { ACTIVE: 'ACTIVE', INACTIVE: 'INACTIVE' } as const;
export const ContactPointTypeEnum = { EMAIL: 'EMAIL', PHONE: 'PHONE' } as const;
export const ContactRoleEnum = {
  PRIMARY: 'PRIMARY',
  BILLING: 'BILLING',
  TECHNICAL: 'TECHNICAL',
  SITE: 'SITE',
  EMERGENCY: 'EMERGENCY',
  LEGAL: 'LEGAL',
  USER: 'USER',
} as const;
registerEnumType(ContactKindEnum, { name: 'ContactKind' });
registerEnumType(ContactStatusEnum, { name: 'ContactStatus' });
registerEnumType(ContactPointTypeEnum, { name: 'ContactPointType' });
registerEnumType(ContactRoleEnum, { name: 'ContactRole', description: 'What a contact is to a customer.' });

@ObjectType({ description: 'A person or organisation behind customers.' })
@Directive('@key(fields: "id")')
@RequiresFeature('crm')
@Entity({ schema: 'crm', tableName: 'contact' })
export class Contact {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => ContactKindEnum) @Property({ type: 'string' }) kind!: ContactKind;
  @Field(() => String) @Property({ type: 'string' }) displayName!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) givenName?: string | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) familyName?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' })
  @Property({ type: 'string', nullable: true })
  language?: string | null;
  @Field(() => ContactStatusEnum) @Property({ type: 'string' }) status!: ContactStatus;
  @Field(() => Int, { description: 'Say it as `expectedVersion` when you change the contact.' })
  @Property({ type: 'integer' })
  version!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) createdAt!: Date;
  @Field(() => DateTime) @Property({ type: 'datetime' }) updatedAt!: Date;
  @Property({ type: 'uuid', nullable: true }) createdById?: string | null;
}

@ObjectType({ description: 'A way to reach a contact. Members of a household may share one.' })
@RequiresFeature('crm')
@Entity({ schema: 'crm', tableName: 'contact_point' })
export class ContactPoint {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) contactId!: string;
  @Property({ type: 'integer' }) position!: number;
  @Field(() => ContactPointTypeEnum) @Property({ type: 'string' }) type!: PointType;
  @Field(() => String, { description: 'An e-mail address, or a telephone number in E.164.' })
  @Property({ type: 'string' })
  value!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) extension?: string | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) label?: string | null;
  @Field(() => Boolean, { description: 'The first choice of its type.' })
  @Property({ type: 'boolean' })
  isPrimary!: boolean;
}

@ObjectType({ description: 'What a contact is to a customer, and since when.' })
@RequiresFeature('crm')
@Entity({ schema: 'crm', tableName: 'contact_link' })
export class ContactLink {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) contactId!: string;
  @Property({ type: 'uuid' }) customerId!: string;
  @Field(() => ContactRoleEnum) @Property({ type: 'string' }) role!: ContactRole;
  @Field(() => DateTime) @Property({ type: 'datetime' }) since!: Date;
  @Field(() => DateTime, { nullable: true, description: 'When it ended.' })
  @Property({ type: 'datetime', nullable: true })
  until?: Date | null;
}
