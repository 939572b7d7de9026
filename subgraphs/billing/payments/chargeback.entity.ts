import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A payment the payer's bank took back, whole. */
@Entity({ schema: 'billing', tableName: 'chargeback' })
export class Chargeback {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) paymentId!: string;
  @Property({ type: 'uuid' }) customerId!: string;
  @Property({ type: 'string' }) reason!: string;
  @Property({ type: 'bigint' }) amountMinor!: bigint;
  @Property({ type: 'string' }) currency!: string;
  @Property({ type: 'datetime' }) createdAt!: Date;
}
