import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A name a tenant is reached under. */
@Entity({ schema: 'tenancy', tableName: 'tenant_domain' })
export class TenantDomain {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  /** Lower-case ASCII. */
  @Property({ type: 'string' }) host!: string;
  @Property({ type: 'string' }) kind!: 'PLATFORM_SUBDOMAIN' | 'CUSTOM';
  @Property({ type: 'string' }) state!: 'PENDING' | 'VERIFIED' | 'ACTIVE' | 'EXPIRED' | 'LOST' | 'RELEASED';
  @Property({ type: 'datetime' }) createdAt!: Date;
}
