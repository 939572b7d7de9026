import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Isolation } from './placement.rules.ts';

/** A database in which tenants' rows live. Its name says how it is reached; never in a tenant's graph. */
@Entity({ schema: 'tenancy', tableName: 'data_home' })
export class DataHome {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string' }) name!: string;
  @Property({ type: 'string' }) region!: string;
  @Property({ type: 'string' }) kind!: Isolation;
  @Property({ type: 'integer' }) capacity!: number;
  @Property({ type: 'integer' }) tenants!: number;
  @Property({ type: 'string' }) status!: 'OPEN' | 'FULL' | 'DRAINING' | 'DOWN';
  @Property({ type: 'datetime' }) createdAt!: Date;
}
