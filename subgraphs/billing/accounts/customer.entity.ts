import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Address } from '../../../schema/address.ts';
import { CurrencyCode, TimeZone } from '../../../schema/scalars.ts';
import type { CustomerKind, CustomerStatus } from './customer.rules.ts';

export const CustomerKindEnum = { PERSON: 'PERSON', BUSINESS: 'BUSINESS' } as const;
export const CustomerStatusEnum = { PROSPECT: 'PROSPECT', ACTIVE: 'ACTIVE', CLOSED: 'CLOSED' } as const;
registerEnumType(CustomerKindEnum, { name: 'CustomerKind' });
registerEnumType(CustomerStatusEnum, {
  name: 'CustomerStatus',
  description: 'A PROSPECT has no service yet; a CLOSED customer owes nothing and gets nothing.',
});

@ObjectType({ description: 'Who is charged and pays: a subscriber of an ISP, or an ISP as customer of the platform.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'billing', tableName: 'customer' })
export class Customer {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Field(() => String, { description: 'What people call it by: `C-000042`.' })
  @Property({ type: 'string' })
  number!: string;
  @Field(() => String)
  @Property({ type: 'string' })
  name!: string;
  @Field(() => CustomerKindEnum)
  @Property({ type: 'string' })
  kind!: CustomerKind;
  @Field(() => CustomerStatusEnum)
  @Property({ type: 'string' })
  status!: CustomerStatus;
  @Field(() => String, { nullable: true })
  @Property({ type: 'string', nullable: true })
  email?: string | null;
  @Field(() => String, { nullable: true })
  @Property({ type: 'string', nullable: true })
  phone?: string | null;
  @Field(() => Address, { nullable: true })
  @Property({ type: 'json', nullable: true })
  billingAddress?: Address | null;
  @Field(() => CurrencyCode, { description: 'What it is charged in and pays in.' })
  @Property({ type: 'string' })
  currency!: string;
  @Field(() => TimeZone, { description: 'Whose midnights its periods begin at.' })
  @Property({ type: 'string' })
  timeZone!: string;
  @Field(() => Int, { description: 'Day of the month its periods begin, 1 to 31; in shorter months the last one.' })
  @Property({ type: 'integer' })
  billingDay!: number;
  @Field(() => String, { nullable: true, description: 'BCP 47: the language its documents are written in.' })
  @Property({ type: 'string', nullable: true })
  locale?: string | null;
  @Field(() => ID, { nullable: true, description: 'In the tenant of the platform: the ISP this customer is.' })
  @Property({ type: 'uuid', nullable: true })
  licensedTenantId?: string | null;
  /** The provisioning run that asked for it. */
  @Property({ type: 'uuid', nullable: true })
  runId?: string | null;
  @Field(() => Int, { description: 'Raised by every change; `expectedVersion` of the next one.' })
  @Property({ type: 'integer' })
  version!: number;
  @Property({ type: 'datetime' })
  createdAt!: Date;
}
