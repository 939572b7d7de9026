import { ArrayType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../schema/scalars.ts';
import type { MembershipKind, MembershipState } from './membership.rules.ts';
import type { Tenant } from './tenant.stub.ts';
import type { User } from './user.entity.ts';

export const MembershipKindEnum = { STAFF: 'STAFF', PORTAL: 'PORTAL' } as const;
export const MembershipStateEnum = {
  INVITED: 'INVITED',
  ACTIVE: 'ACTIVE',
  SUSPENDED: 'SUSPENDED',
  FROZEN: 'FROZEN',
  ENDED: 'ENDED',
} as const;
registerEnumType(MembershipKindEnum, {
  name: 'MembershipKind',
  description: 'Works at the ISP, or is a customer of it.',
});
registerEnumType(MembershipStateEnum, {
  name: 'MembershipState',
  valuesConfig: {
    INVITED: { description: 'Has an account made for them and has not come yet. It ends after seven days.' },
    SUSPENDED: { description: 'Kept out by an administrator.' },
    FROZEN: { description: 'The plan has no seat for them now. They come back by themselves when it has one.' },
  },
});

@ObjectType({ description: 'What a person is in one tenant, and with which roles.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'membership' })
export class Membership {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it is in; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Property({ type: 'uuid' }) userId!: string;
  @Field(() => MembershipKindEnum) @Property({ type: 'string' }) kind!: MembershipKind;
  @Property({ type: ArrayType }) roles!: string[];
  @Property({ type: 'uuid', nullable: true }) customerId?: string | null;
  @Field(() => MembershipStateEnum) @Property({ type: 'string' }) state!: MembershipState;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  /** The provisioning run that asked for it. */
  @Property({ type: 'uuid', nullable: true }) runId?: string | null;
  @Property({ type: 'datetime' }) createdAt!: Date;
  @Property({ type: 'datetime', nullable: true }) endedAt?: Date | null;

  /** Where a list over several tenants brings them along; otherwise they are loaded. */
  user?: User;
  tenant?: Tenant;
}

@ObjectType({ description: 'What became of a member, as they are now.' })
export class MemberUpdate {
  @Field(() => Membership) member!: Membership;
  @Field(() => DateTime) at!: Date;
  @Field(() => String, { description: 'Where to go on from after an interruption.' }) cursor!: string;
}
