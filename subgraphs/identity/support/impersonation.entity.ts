import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { ImpersonationEnd, ImpersonationMode, ImpersonationState } from './impersonation.rules.ts';

export const ImpersonationModeEnum = { READ: 'READ', ACT: 'ACT' } as const;
export const ImpersonationStateEnum = {
  WAITING: 'WAITING',
  LIVE: 'LIVE',
  REFUSED: 'REFUSED',
  LAPSED: 'LAPSED',
  ENDED: 'ENDED',
} as const;
export const ImpersonationEndEnum = {
  BY_OPERATOR: 'BY_OPERATOR',
  BY_TENANT: 'BY_TENANT',
  REFUSED: 'REFUSED',
  LAPSED: 'LAPSED',
  EXPIRED: 'EXPIRED',
  OPERATOR_GONE: 'OPERATOR_GONE',
} as const;
registerEnumType(ImpersonationModeEnum, {
  name: 'ImpersonationMode',
  description: 'Whether support looks only, or does things as well.',
});
registerEnumType(ImpersonationStateEnum, {
  name: 'ImpersonationState',
  valuesConfig: {
    WAITING: { description: 'For an approval of the tenant, a day at most.' },
    LAPSED: { description: 'Nobody approved it in time.' },
  },
});
registerEnumType(ImpersonationEndEnum, {
  name: 'ImpersonationEnd',
  description: 'Why an impersonation is over.',
  valuesConfig: { OPERATOR_GONE: { description: 'Their own session ended.' } },
});

@ObjectType({ description: 'Somebody of support who saw, or wants to see, this tenant as one of its people does.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'impersonation' })
export class Impersonation {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it happens in; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => ID, { description: 'As the audit trail and events name them.' })
  @Property({ type: 'uuid' })
  operatorId!: string;
  @Property({ type: 'uuid' }) operatorMembershipId!: string;
  @Property({ type: 'uuid' }) operatorSessionId!: string;
  @Property({ type: 'uuid' }) userId!: string;
  @Property({ type: 'uuid' }) membershipId!: string;
  @Field(() => ImpersonationModeEnum) @Property({ type: 'string' }) mode!: ImpersonationMode;
  @Field(() => String) @Property({ type: 'string' }) reason!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) ticket!: string | null;
  @Property({ type: 'uuid', nullable: true }) approvedBy!: string | null;
  @Field(() => ImpersonationStateEnum) @Property({ type: 'string' }) state!: ImpersonationState;
  @Field(() => ImpersonationEndEnum, { nullable: true })
  @Property({ type: 'string', nullable: true })
  endReason!: ImpersonationEnd | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) requestedAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) startedAt!: Date | null;
  @Field(() => DateTime, { description: 'It ends then at the latest; while it waits, it lapses.' })
  @Property({ type: 'datetime' })
  endsAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) endedAt!: Date | null;
}

@ObjectType({ description: 'Who acts in the name of whoever seems to ask.' })
export class ActingFor {
  @Field(() => ID) impersonationId!: string;
  @Field(() => String) operatorName!: string;
  @Field(() => ImpersonationModeEnum) mode!: ImpersonationMode;
  @Field(() => DateTime) endsAt!: Date;
}
