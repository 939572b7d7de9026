import { ArrayType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';

/** A role as clients see it: a built-in one, or one of the ISP's own. */
@ObjectType({ description: 'A named set of permissions: built in, or made by the ISP.' })
@Directive('@key(fields: "id")')
export class Role {
  @Field(() => ID, { description: 'Of a built-in role its key.' }) id!: string;
  @Field(() => String) key!: string;
  @Field(() => String) name!: string;
  @Field(() => Boolean, { description: 'Built-in roles do not change.' }) isBuiltIn!: boolean;
  @Field(() => String, { nullable: true, description: 'Key of the role it begins from.' }) basedOn!: string | null;
  @Field(() => [String], { description: 'Patterns it adds to that.' }) adds!: readonly string[];
  @Field(() => [String], { description: 'Patterns it takes away, whatever adds them.' }) removes!: readonly string[];
  @Field(() => Int, { nullable: true, description: 'How many members may have it; null without end.' })
  maxMembers!: number | null;
  @Field(() => Int) version!: number;
  @Field(() => [String], { description: 'What it allows in this tenant, `domain.noun.action`, sorted.' })
  permissions!: string[];
}

/** The row of a role an ISP made for itself. */
@Entity({ schema: 'identity', tableName: 'role' })
export class OwnRole {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it is in; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Property({ type: 'string' }) key!: string;
  @Property({ type: 'string' }) name!: string;
  @Property({ type: 'string', nullable: true }) basedOn!: string | null;
  @Property({ type: ArrayType }) adds!: string[];
  @Property({ type: ArrayType }) removes!: string[];
  @Property({ type: 'integer', nullable: true }) maxMembers!: number | null;
  @Property({ type: 'integer' }) version!: number;
  @Property({ type: 'datetime' }) createdAt!: Date;
}

@ObjectType({ description: 'A permission there is.' })
export class PermissionInfo {
  @Field(() => String, { description: '`domain.noun.action`.' }) name!: string;
  @Field(() => String) domain!: string;
  @Field(() => String) noun!: string;
  @Field(() => String) action!: string;
}

@ObjectType({ description: 'A single permission given to one member for some time.' })
@Entity({ schema: 'identity', tableName: 'permission_grant' })
export class PermissionGrant {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) membershipId!: string;
  @Field(() => String) @Property({ type: 'string' }) permission!: string;
  @Field(() => String) @Property({ type: 'string' }) reason!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) until!: Date;
  @Property({ type: 'uuid', nullable: true }) grantedBy!: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) grantedAt!: Date;
  @Property({ type: 'datetime', nullable: true }) endedAt!: Date | null;
}

@ObjectType({ description: 'Whether a member may do something here, and where that comes from.' })
export class PermissionVerdict {
  @Field(() => String) permission!: string;
  @Field(() => Boolean) isAllowed!: boolean;
  @Field(() => [Role], { description: 'The roles it comes from.' }) roles!: Role[];
  @Field(() => [PermissionGrant], { description: 'The grants it comes from.' }) grants!: PermissionGrant[];
}
