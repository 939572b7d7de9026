import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { CreditSource } from './credit.rules.ts';

/** Money that can settle invoices of a customer: what a payment brought, or what a change of licence gave back. */
@Entity({ schema: 'billing', tableName: 'credit' })
export class Credit {
  /** That of the payment it came with. */
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) customerId!: string;
  @Property({ type: 'string' }) source!: CreditSource;
  @Property({ type: 'string' }) currency!: string;
  @Property({ type: 'bigint' }) amountMinor!: bigint;
  @Property({ type: 'bigint' }) remainingMinor!: bigint;
  @Property({ type: 'datetime' }) createdAt!: Date;
}

/** So much of a credit settled so much of an invoice, until it is undone. */
@Entity({ schema: 'billing', tableName: 'credit_application' })
export class CreditApplication {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) customerId!: string;
  @Property({ type: 'uuid' }) creditId!: string;
  @Property({ type: 'uuid' }) invoiceId!: string;
  @Property({ type: 'bigint' }) amountMinor!: bigint;
  @Property({ type: 'datetime' }) appliedAt!: Date;
  @Property({ type: 'datetime', nullable: true }) reversedAt?: Date | null;
}
