import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { FactType } from './posting.rules.ts';

/** One side of a fact in the books. Append only; the postings of a transaction sum to 0 per currency. */
@Entity({ schema: 'billing', tableName: 'posting' })
export class Posting {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) transactionId!: string;
  @Property({ type: 'uuid' }) accountId!: string;
  @Property({ type: 'string' }) currency!: string;
  /** Debit is positive. */
  @Property({ type: 'bigint' }) amountMinor!: bigint;
  @Property({ type: 'datetime' }) occurredAt!: Date;
  /** Local date of the tenant. */
  @Property({ type: 'date' }) bookedOn!: string;
  @Property({ type: 'string' }) factType!: FactType;
  @Property({ type: 'uuid' }) factId!: string;
}
