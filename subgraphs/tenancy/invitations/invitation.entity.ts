import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { InvitationState } from './invitation.rules.ts';

export const InvitationStateEnum = {
  PENDING: 'PENDING',
  ACCEPTED: 'ACCEPTED',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
} as const satisfies { [S in InvitationState]: S };
registerEnumType(InvitationStateEnum, { name: 'InvitationState' });

@ObjectType({ description: 'Somebody was asked to work at this tenant.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'tenancy', tableName: 'invitation' })
export class Invitation {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it is in; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => String) @Property({ type: 'string' }) email!: string;
  @Field(() => String, { description: 'Key of the role they will have.' }) @Property({ type: 'string' }) role!: string;
  @Property({ type: 'string' }) tokenHash!: string;
  @Field(() => ID, { nullable: true }) @Property({ type: 'uuid', nullable: true }) invitedBy?: string | null;
  @Property({ type: 'string' }) state!: InvitationState;
  @Field(() => Int, { description: 'How often its mail was sent.' }) @Property({ type: 'integer' }) sentCount!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) expiresAt!: Date;
  @Field(() => ID, { nullable: true }) @Property({ type: 'uuid', nullable: true }) acceptedBy?: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) createdAt!: Date;
}

@ObjectType({ description: 'What whoever holds the link of an invitation may see of it.' })
export class InvitationPreview {
  @Field(() => String, { description: 'Who invites.' }) tenantName!: string;
  @Field(() => String, { description: 'Key of the role they will have.' }) role!: string;
}
