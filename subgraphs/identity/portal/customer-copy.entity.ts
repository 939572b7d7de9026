import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** What identity must know of billing's customers: that they are this tenant's, and whose account they are. */
@Entity({ schema: 'identity', tableName: 'customer_copy' })
export class CustomerCopy {
  @PrimaryKey({ type: 'uuid' }) customerId!: string;
  @Property({ type: 'boolean' }) isClosed!: boolean;
  /** In the platform: the ISP whose account it is. */
  @Property({ type: 'uuid', nullable: true }) licensedTenantId!: string | null;
  @Property({ type: 'integer' }) version!: number;
}
