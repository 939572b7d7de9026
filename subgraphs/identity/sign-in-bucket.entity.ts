import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Attempts of one mail or one address. */
@Entity({ schema: 'identity', tableName: 'sign_in_bucket' })
export class SignInBucket {
  /** A keyed hash: the table names nobody. */
  @PrimaryKey({ type: 'string' }) key!: string;
  @Property({ type: 'integer' }) failures!: number;
  @Property({ type: 'datetime', nullable: true }) firstAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) lastAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) lockedUntil!: Date | null;
  @Property({ type: 'integer' }) locks!: number;
}
