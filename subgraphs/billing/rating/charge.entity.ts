import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime, Decimal } from '../../../schema/scalars.ts';
import type { ChargeKind } from './charge.rules.ts';

export const ChargeKindEnum = { ONE_OFF: 'ONE_OFF', LICENSE: 'LICENSE' } as const;
registerEnumType(ChargeKindEnum, { name: 'ChargeKind' });

@ObjectType({ description: 'A stretch of time: from `start`, up to but without `end`.' })
export class Period {
  @Field(() => DateTime) start!: Date;
  @Field(() => DateTime) end!: Date;
}

@ObjectType({ description: 'Something a customer has to pay for.' })
@Entity({ schema: 'billing', tableName: 'charge' })
export class Charge {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Property({ type: 'uuid' })
  customerId!: string;
  /** What it is for; the same thing is charged once [R70]. */
  @Property({ type: 'string' })
  key!: string;
  @Field(() => ChargeKindEnum)
  @Property({ type: 'string' })
  kind!: ChargeKind;
  @Field(() => String)
  @Property({ type: 'string' })
  description!: string;
  @Field(() => Decimal)
  @Property({ type: 'decimal' })
  quantity!: string;
  @Field(() => Decimal, { description: "Price of one in the customer's currency, before any rounding." })
  @Property({ type: 'decimal' })
  unitPrice!: string;
  @Property({ type: 'string' })
  currency!: string;
  @Property({ type: 'bigint' })
  netMinor!: bigint;
  @Property({ type: 'datetime', nullable: true })
  periodStart?: Date | null;
  @Property({ type: 'datetime', nullable: true })
  periodEnd?: Date | null;
  @Property({ type: 'uuid', nullable: true })
  changeId?: string | null;
  @Property({ type: 'uuid', nullable: true })
  licenseId?: string | null;
  /** The document it stands on; none for what was charged by hand and for what gives money back. */
  @Property({ type: 'uuid', nullable: true })
  invoiceId?: string | null;
  /** Place in the log of what asked for it, where something did. */
  @Property({ type: 'bigint', nullable: true })
  askedSeq?: bigint | null;
  @Field(() => DateTime)
  @Property({ type: 'datetime' })
  postedAt!: Date;
}
