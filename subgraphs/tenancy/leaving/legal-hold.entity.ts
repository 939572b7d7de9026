import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** As long as it is not lifted, nobody deletes the tenant. */
@Entity({ schema: 'tenancy', tableName: 'legal_hold' })
export class LegalHold {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string' }) reason!: string;
  @Property({ type: 'datetime' }) placedAt!: Date;
  @Property({ type: 'uuid' }) placedBy!: string;
  @Property({ type: 'datetime', nullable: true }) liftedAt?: Date | null;
  @Property({ type: 'uuid', nullable: true }) liftedBy?: string | null;
}
