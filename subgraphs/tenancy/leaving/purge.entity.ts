import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';

@ObjectType({ description: 'The deletion of a tenant: two people approve it, then every domain deletes.' })
@Entity({ schema: 'tenancy', tableName: 'purge' })
export class Purge {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => [ID], { description: 'Who has approved it: with the second it begins.' })
  @Property({ type: 'uuid[]' })
  approvedBy!: string[];
  @Property({ type: 'datetime' }) approvedAt!: Date;
  /** When domains were asked last; null until a second person approved. */
  @Property({ type: 'datetime', nullable: true }) askedAt?: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When the second person approved.' })
  @Property({ type: 'datetime', nullable: true })
  begunAt?: Date | null;
  @Field(() => [String], { description: 'Domains that have not deleted yet.' })
  @Property({ type: 'string[]' })
  waitingFor!: string[];
  /** Deleted rows by table. */
  @Property({ type: 'json' }) counts!: Record<string, number>;
  /** What was still there when all had answered, by table. */
  @Property({ type: 'json', nullable: true }) rowsLeft?: Record<string, number> | null;
}

/** All that is left of a tenant that was deleted. */
@Entity({ schema: 'tenancy', tableName: 'tombstone' })
export class Tombstone {
  /** The tenant's. */
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string' }) slugHash!: string;
  @Property({ type: 'uuid' }) certificateId!: string;
  @Property({ type: 'string' }) certificate!: string;
}

@ObjectType({ description: 'Proof that a tenant was deleted.' })
export class DeletionCertificate {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: 'The signed document: `verifyDeletionCertificate` reads it.' }) document!: string;
}
