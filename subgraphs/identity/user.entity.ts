import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType } from 'type-graphql';
import type { Realm, UserState } from './user.rules.ts';

@ObjectType({ description: 'A person. Seen only by tenants in which they are or were a member.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'user' })
export class User {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** Staff of any tenant, or the ISP whose subscriber this is: one mail at two ISPs is two people. */
  @Property({ type: 'string' }) realm!: Realm;
  /** Null once the person is erased. */
  @Property({ type: 'string', nullable: true }) email!: string | null;
  @Property({ type: 'boolean' }) isEmailVerified!: boolean;
  @Field(() => String) @Property({ type: 'string' }) displayName!: string;
  @Property({ type: 'string' }) locale!: string;
  @Property({ type: 'string' }) state!: UserState;
  /** Of SUSPENDED: the owner did it from a warning mail, and a new password undoes it. */
  @Property({ type: 'boolean' }) isLockedByOwner: Opt<boolean> = false;
  @Property({ type: 'datetime', nullable: true }) passwordChangedAt?: Date | null;
  @Property({ type: 'datetime' }) createdAt!: Date;

  /** Whether every membership here has ended; the loader says so. */
  isFormer?: boolean;
}
