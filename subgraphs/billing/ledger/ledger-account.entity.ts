import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { AccountCode, AccountKind } from './posting.rules.ts';

/** An account of the ledger: one per code, or one per code and customer. Made when first needed, never changed. */
@Entity({ schema: 'billing', tableName: 'ledger_account' })
export class LedgerAccount {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string' }) code!: AccountCode;
  @Property({ type: 'string' }) kind!: AccountKind;
  @Property({ type: 'uuid', nullable: true }) customerId?: string | null;
}
