import { ArrayType, JsonType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { RoleOfClaim, SsoState } from './sso-connection.rules.ts';

export const SsoStateEnum = { DRAFT: 'DRAFT', ACTIVE: 'ACTIVE', OFF: 'OFF' } as const satisfies { [S in SsoState]: S };
export const SsoKindEnum = { OIDC: 'OIDC' } as const;
registerEnumType(SsoStateEnum, {
  name: 'SsoState',
  valuesConfig: { DRAFT: { description: 'Not tried since it was last changed.' } },
});
registerEnumType(SsoKindEnum, { name: 'SsoKind', description: 'What the provider speaks.' });

@ObjectType({ description: 'Whoever the provider says is in this group gets this role when they are made a member.' })
export class SsoRole implements RoleOfClaim {
  @Field(() => String, { description: 'A value of the claim `groups` or `roles`.' }) value!: string;
  @Field(() => String, { description: 'Key of a role.' }) role!: string;
}

@ObjectType({ description: "A tenant's own provider: its people sign in there, for this tenant alone." })
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'sso_connection' })
export class SsoConnection {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => SsoKindEnum) @Property({ type: 'string' }) kind!: 'OIDC';
  @Field(() => String) @Property({ type: 'string' }) issuer!: string;
  @Field(() => String) @Property({ type: 'string' }) clientId!: string;
  @Property({ type: 'string', nullable: true }) sealedSecret!: string | null;
  @Field(() => [SsoRole]) @Property({ type: JsonType }) roleMap!: RoleOfClaim[];
  @Field(() => Boolean, { description: 'Whether passwords of its domains are refused.' })
  @Property({ type: 'boolean' })
  isRequired!: boolean;
  @Field(() => Boolean, { description: 'Whether whoever the provider lets in becomes a member, which takes a seat.' })
  @Property({ type: 'boolean' })
  createsMembers!: boolean;
  /** People whose passwords go on working. */
  @Property({ type: ArrayType }) emergencyIds!: string[];
  @Field(() => SsoStateEnum) @Property({ type: 'string' }) state!: SsoState;
  @Field(() => DateTime, { nullable: true, description: 'When somebody last tried it as it is, with success.' })
  @Property({ type: 'datetime', nullable: true })
  testedAt!: Date | null;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  @Property({ type: 'datetime' }) createdAt!: Date;
}
