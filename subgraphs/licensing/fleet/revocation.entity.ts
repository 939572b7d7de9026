import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** The first of the two signatures a revocation needs. */
@Entity({ schema: 'licensing', tableName: 'license_revocation' })
export class LicenseRevocation {
  @PrimaryKey({ type: 'uuid' }) licenseId!: string;
  @Property({ type: 'uuid' }) askedBy!: string;
  @Property({ type: 'datetime' }) askedAt!: Date;
  @Property({ type: 'string' }) reason!: string;
}
