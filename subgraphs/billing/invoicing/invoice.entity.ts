import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { ListSize } from '../../../schema/directives.ts';
import { DateTime, LocalDate } from '../../../schema/scalars.ts';
import type { InvoiceStatus, Reference } from './invoice.rules.ts';

export const InvoiceStatusEnum = { ISSUED: 'ISSUED', PAID: 'PAID', VOID: 'VOID' } as const;
registerEnumType(InvoiceStatusEnum, {
  name: 'InvoiceStatus',
  description: 'PAID: nothing is open. VOID: taken back, nothing is owed for it; its number stays used.',
});

@ObjectType({ description: 'What an invoice is about: a licence and a period of it, or a change of it.' })
export class InvoiceReference implements Reference {
  @Field(() => ID) licensedTenantId!: string;
  @Field(() => ID) licenseId!: string;
  @Field(() => ID, { nullable: true }) changeId?: string;
  @Field(() => DateTime) periodStart!: string;
  @Field(() => DateTime) periodEnd!: string;
}

@ObjectType({ description: 'A document that asks a customer to pay. Once issued it stays as it is.' })
@Entity({ schema: 'billing', tableName: 'invoice' })
export class Invoice {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Property({ type: 'uuid' })
  customerId!: string;
  /** What it is for: the same thing is invoiced once, unless the first one was taken back. */
  @Property({ type: 'string' })
  key!: string;
  /** Place in the log of what asked for it: what was told before that, it knew. */
  @Property({ type: 'bigint' })
  askedSeq!: bigint;
  @Field(() => String, { description: 'Without gaps per tenant and year: `INV-2027-000042`.' })
  @Property({ type: 'string' })
  number!: string;
  @Field(() => InvoiceStatusEnum)
  @Property({ type: 'string' })
  status!: InvoiceStatus;
  @Property({ type: 'string' })
  currency!: string;
  @Field(() => DateTime)
  @Property({ type: 'datetime' })
  issuedAt!: Date;
  @Field(() => LocalDate, { description: 'The last day on which it is not late.' })
  @Property({ type: 'date' })
  dueOn!: string;
  @Property({ type: 'datetime' })
  lateFrom!: Date;
  @Property({ type: 'bigint' })
  totalMinor!: bigint;
  @Property({ type: 'bigint' })
  openMinor!: bigint;
  @Field(() => DateTime, { nullable: true, description: 'Null unless it is open and late.' })
  @Property({ type: 'datetime', nullable: true })
  overdueSince?: Date | null;
  @Field(() => [InvoiceReference])
  @ListSize(2)
  @Property({ type: 'json' })
  references!: Reference[];
  /** The tenant whose clock it lives on, where its customer is one. */
  @Property({ type: 'uuid', nullable: true })
  licensedTenantId?: string | null;
}
