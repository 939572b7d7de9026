import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { MoveState, MoveStep } from './move.rules.ts';
import { IsolationEnum } from './placement.entity.ts';
import type { Isolation } from './placement.rules.ts';

export const MoveStateEnum = { RUNNING: 'RUNNING', DONE: 'DONE', UNDONE: 'UNDONE' } as const satisfies {
  [S in MoveState]: S;
};
registerEnumType(MoveStateEnum, {
  name: 'MoveState',
  description: 'UNDONE: the tenant lives where it did, and nothing is left of the try.',
});

@ObjectType({ description: 'A move of a tenant to another home.' })
@Entity({ schema: 'tenancy', tableName: 'move_run' })
export class MoveRun {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => MoveStateEnum) @Property({ type: 'string' }) state!: MoveState;
  @Field(() => String, { description: 'RESERVE, DATABASE, COPY, FOLLOW, PAUSE, SWITCH or SETTLE.' })
  @Property({ type: 'string' })
  step!: MoveStep;
  @Field(() => IsolationEnum) @Property({ type: 'string' }) isolation!: Isolation;
  @Field(() => String) @Property({ type: 'string' }) region!: string;
  @Property({ type: 'string' }) fromHome!: string;
  @Property({ type: 'string' }) toHome!: string;
  @Field(() => Int) @Property({ type: 'integer' }) rowsCopied!: number;
  @Field(() => Int, { nullable: true, description: 'How long nothing could be changed, milliseconds.' })
  @Property({ type: 'integer', nullable: true })
  pausedMs?: number | null;
  @Field(() => String, { nullable: true, description: 'Why it was undone.' })
  @Property({ type: 'string', nullable: true })
  error?: string | null;
  @Property({ type: 'uuid', nullable: true }) carrier?: string | null;
  @Property({ type: 'datetime', nullable: true }) leaseUntil?: Date | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) startedAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) endedAt?: Date | null;
  @Property({ type: 'datetime', nullable: true }) fencedUntil?: Date | null;
}
