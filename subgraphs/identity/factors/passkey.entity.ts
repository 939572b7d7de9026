import { ArrayType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';

@ObjectType({ description: 'A key pair on a device of a person. It is both factors at once.' })
@Entity({ schema: 'identity', tableName: 'passkey' })
export class Passkey {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) userId!: string;
  @Property({ type: 'string' }) credentialId!: string;
  /** COSE, base64url. */
  @Property({ type: 'string' }) publicKey!: string;
  /** How often it signed; zero for one that does not count. */
  @Property({ type: 'bigint' }) counter!: bigint;
  @Property({ type: ArrayType }) transports!: string[];
  @Field(() => String) @Property({ type: 'string' }) name!: string;
  @Field(() => String, { description: 'Host of the portal it was made at; it works there alone.' })
  @Property({ type: 'string' })
  host!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) madeAt!: Date;
  @Field(() => DateTime, { nullable: true })
  @Property({ type: 'datetime', nullable: true })
  lastUsedAt!: Date | null;
}
