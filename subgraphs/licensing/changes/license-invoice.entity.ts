import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { InvoiceStatus } from '../terms/paid-time.rules.ts';

/** What the platform's billing last said of an invoice that is about a licence. */
@Entity({ schema: 'licensing', tableName: 'license_invoice' })
export class LicenseInvoice {
  @PrimaryKey({ type: 'uuid' }) invoiceId!: string;
  @PrimaryKey({ type: 'datetime' }) periodStart!: Date;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Property({ type: 'uuid', nullable: true }) changeId!: string | null;
  @Property({ type: 'datetime' }) periodEnd!: Date;
  @Property({ type: 'string' }) status!: InvoiceStatus;
  /** On the tenant's clock. */
  @Property({ type: 'datetime' }) since!: Date;
  /** Place in the platform's log of what was last heard of it. */
  @Property({ type: 'bigint' }) seq!: bigint;
}
