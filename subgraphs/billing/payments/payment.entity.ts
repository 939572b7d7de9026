import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime, LocalDate } from '../../../schema/scalars.ts';
import type { PaymentMeans, PaymentStatus } from './payment.rules.ts';

export const PaymentMeansEnum = { CASH: 'CASH', BANK_TRANSFER: 'BANK_TRANSFER', CHEQUE: 'CHEQUE' } as const;
export const PaymentStatusEnum = { SUCCEEDED: 'SUCCEEDED', REVERSED: 'REVERSED' } as const;
registerEnumType(PaymentMeansEnum, { name: 'PaymentMeans', description: 'How money came.' });
registerEnumType(PaymentStatusEnum, {
  name: 'PaymentStatus',
  description: 'REVERSED: the money went back to the payer.',
});

@ObjectType({ description: 'Money that came from a customer.' })
@Entity({ schema: 'billing', tableName: 'payment' })
export class Payment {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Property({ type: 'uuid' })
  customerId!: string;
  @Field(() => PaymentStatusEnum)
  @Property({ type: 'string' })
  status!: PaymentStatus;
  @Property({ type: 'bigint' })
  amountMinor!: bigint;
  @Property({ type: 'string' })
  currency!: string;
  @Field(() => PaymentMeansEnum)
  @Property({ type: 'string' })
  method!: PaymentMeans;
  @Field(() => LocalDate)
  @Property({ type: 'date' })
  receivedOn!: string;
  @Field(() => String, { nullable: true, description: 'What the payer wrote on it.' })
  @Property({ type: 'string', nullable: true })
  reference?: string | null;
  /** Unique for ever [R47], with the hash of what was asked under it. */
  @Property({ type: 'string' })
  idempotencyKey!: string;
  @Property({ type: 'string' })
  requestHash!: string;
  @Field(() => DateTime)
  @Property({ type: 'datetime' })
  createdAt!: Date;
}
