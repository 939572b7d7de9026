import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A list of what is revoked, as it was published. */
@Entity({ schema: 'licensing', tableName: 'revocation_list' })
export class RevocationList {
  @PrimaryKey({ type: 'bigint' }) seq!: bigint;
  @Property({ type: 'datetime' }) issuedAt!: Date;
  /** Of what it names, without its number and dates. */
  @Property({ type: 'string' }) contentHash!: string;
  @Property({ type: 'string' }) jws!: string;
}
