import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { type Technology, TechnologyEnum } from '../../../schema/technology.ts';
import type { PlanState, ServicePlanKind } from './service-plan.rules.ts';

export const ServicePlanKindEnum = { INTERNET: 'INTERNET', VOICE: 'VOICE', TV: 'TV' } as const;
export const PlanStateEnum = { PUBLISHED: 'PUBLISHED', RETIRED: 'RETIRED' } as const;
registerEnumType(ServicePlanKindEnum, { name: 'ServicePlanKind' });
registerEnumType(PlanStateEnum, { name: 'PlanState', description: 'A RETIRED plan is kept by those who have it.' });

@ObjectType({
  description: 'What a service is technically promised. Published it never changes; a change is a new number.',
})
@Directive('@key(fields: "id")')
@Entity({ schema: 'network', tableName: 'service_plan' })
export class ServicePlan {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Field(() => String, { description: 'Its name, which price plans know it by: `fibre100`.' })
  @Property({ type: 'string' })
  code!: string;
  @Field(() => Int, { description: 'Which publication of this code.' })
  @Property({ type: 'integer' })
  number!: number;
  @Field(() => PlanStateEnum)
  @Property({ type: 'string' })
  state!: PlanState;
  @Field(() => ServicePlanKindEnum)
  @Property({ type: 'string' })
  kind!: ServicePlanKind;
  @Field(() => TechnologyEnum)
  @Property({ type: 'string' })
  technology!: Technology;
  @Field(() => Int, { description: 'To the subscriber, kbit/s (10^3).' })
  @Property({ type: 'integer' })
  downKbps!: number;
  @Field(() => Int, { description: 'From the subscriber, kbit/s (10^3).' })
  @Property({ type: 'integer' })
  upKbps!: number;
  @Field(() => DateTime)
  @Property({ type: 'datetime' })
  publishedAt!: Date;
  @Field(() => DateTime, { nullable: true })
  @Property({ type: 'datetime', nullable: true })
  retiredAt?: Date | null;
}
