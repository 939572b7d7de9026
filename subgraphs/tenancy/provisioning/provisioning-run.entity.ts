import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { Tenant } from '../tenant.entity.ts';
import type { RunState, Step, StepName, StepState } from './course.rules.ts';
import type { Wanted } from './request.rules.ts';

export const RunStateEnum = {
  PENDING: 'PENDING',
  RUNNING: 'RUNNING',
  WAITING: 'WAITING',
  COMPENSATING: 'COMPENSATING',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  STUCK: 'STUCK',
} as const satisfies { [S in RunState]: S };
export const StepStateEnum = {
  PENDING: 'PENDING',
  RUNNING: 'RUNNING',
  DONE: 'DONE',
  FAILED: 'FAILED',
  SKIPPED: 'SKIPPED',
  UNDOING: 'UNDOING',
  UNDONE: 'UNDONE',
} as const satisfies { [S in StepState]: S };
registerEnumType(RunStateEnum, {
  name: 'RunState',
  valuesConfig: {
    WAITING: { description: 'For another domain.' },
    COMPENSATING: { description: 'It is being undone, from its last step to its first.' },
    STUCK: { description: 'An undoing failed five times; somebody must look.' },
  },
});
registerEnumType(StepStateEnum, { name: 'StepState' });

@ObjectType({ description: 'One step of setting a tenant up.' })
export class ProvisioningStep {
  @Field(() => String) name!: StepName;
  @Field(() => StepStateEnum) state!: StepState;
  @Field(() => Int, { description: 'How often it was tried.' }) attempts!: number;
  @Field(() => DateTime, { nullable: true }) startedAt!: Date | null;
  @Field(() => DateTime, { nullable: true }) endedAt!: Date | null;
  @Field(() => String, { nullable: true }) message!: string | null;
}

@ObjectType({ description: 'How far the setting up of a tenant has come.' })
export class ProvisioningProgress {
  @Field(() => ID) runId!: string;
  @Field(() => Int, { description: 'One more with each change; `after` of the subscription takes it.' }) seq!: number;
  @Field(() => RunStateEnum) state!: RunState;
  @Field(() => Int, { description: '0 to 100, by the weight of the steps.' }) percent!: number;
  @Field(() => String, { nullable: true }) currentStep!: string | null;
  @Field(() => [ProvisioningStep]) steps!: ProvisioningStep[];
  @Field(() => String, { nullable: true, description: 'Why it failed.' }) error!: string | null;
  @Field(() => Tenant, { nullable: true }) tenant?: Tenant | null;

  tenantId!: string;
}

/** One attempt to set a tenant up. */
@Entity({ schema: 'tenancy', tableName: 'provisioning_run' })
export class ProvisioningRun {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it sets up; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Property({ type: 'string' }) state!: RunState;
  @Property({ type: 'json' }) wanted!: Wanted;
  @Property({ type: 'json' }) steps!: readonly Step[];
  @Property({ type: 'string', nullable: true }) error!: string | null;
  /** Of its newest change. */
  @Property({ type: 'integer' }) seq!: number;
  /** The account of the tenant in `platform`, once there is one. */
  @Property({ type: 'uuid', nullable: true }) customerId!: string | null;
  /** SHA-256 of what lets somebody without account follow it. */
  @Property({ type: 'string', nullable: true }) ticketHash!: string | null;
  /** It rests until then. */
  @Property({ type: 'datetime', nullable: true }) dueAt!: Date | null;
  /** Until then it belongs to the worker that acts outside the database. */
  @Property({ type: 'datetime', nullable: true }) heldUntil!: Date | null;
  @Property({ type: 'datetime' }) movedAt!: Date;
  @Property({ type: 'datetime' }) createdAt!: Date;
}

/** What a run looked like after one of its changes. */
@Entity({ schema: 'tenancy', tableName: 'provisioning_change' })
export class ProvisioningChange {
  @PrimaryKey({ type: 'uuid' }) runId!: string;
  @PrimaryKey({ type: 'integer' }) seq!: number;
  @Property({ type: 'json' }) progress!: Told;
}

/** What a change tells, as it is kept. */
export interface Told {
  state: RunState;
  percent: number;
  currentStep: string | null;
  error: string | null;
  steps: (Pick<Step, 'name' | 'state' | 'attempts' | 'message'> & {
    startedAt: string | null;
    endedAt: string | null;
  })[];
}
