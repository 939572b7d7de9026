import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** An authenticator app of a person: the one in use, or a new one until its first right code. */
@Entity({ schema: 'identity', tableName: 'second_factor' })
export class SecondFactor {
  @PrimaryKey({ type: 'uuid' }) userId!: string;
  @PrimaryKey({ type: 'string' }) state!: 'PENDING' | 'ACTIVE';
  /** The secret, sealed. */
  @Property({ type: 'string' }) sealed!: string;
  /** Step of the code that was used last. */
  @Property({ type: 'bigint', nullable: true }) lastStep!: bigint | null;
  @Property({ type: 'datetime' }) madeAt!: Date;
}

/** One of ten codes for whoever has lost the rest. */
@Entity({ schema: 'identity', tableName: 'recovery_code' })
export class RecoveryCode {
  @PrimaryKey({ type: 'uuid' }) userId!: string;
  @PrimaryKey({ type: 'string' }) hash!: string;
  @Property({ type: 'datetime', nullable: true }) usedAt!: Date | null;
}

/** A reset that waits for a second person of the platform. */
@Entity({ schema: 'identity', tableName: 'factor_reset' })
export class FactorReset {
  @PrimaryKey({ type: 'uuid' }) userId!: string;
  @Property({ type: 'uuid' }) askedBy!: string;
  @Property({ type: 'datetime' }) askedAt!: Date;
}
