import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { ChangeDirectionEnum } from '../licenses/planned-change.entity.ts';
import type { ChangeDirection } from './plan-change.rules.ts';
import type { MigrationTiming } from './plan-migration.rules.ts';

export const MigrationTimingEnum = { NOW: 'NOW', PERIOD_END: 'PERIOD_END' } as const;
registerEnumType(MigrationTimingEnum, {
  name: 'PlanMigrationTiming',
  description: 'NOW moves at once where nothing is lost; everything else waits for the end of a period.',
});

@ObjectType({ description: 'An order to move licences from one version of a plan to another.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'licensing', tableName: 'plan_migration' })
export class PlanMigration {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) fromVersionId!: string;
  @Property({ type: 'uuid' }) toVersionId!: string;
  @Property({ type: 'string' }) timing!: MigrationTiming; // shown as when: PlanMigrationTiming!
  @Property({ type: 'array' }) tenantIds!: string[];
  @Property({ type: 'string' }) previewHash!: string;
  @Field(() => String, { description: 'The id of who ordered it.' }) @Property({ type: 'string' }) orderedBy!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) orderedAt!: Date;
  @Field(() => DateTime, { nullable: true, description: 'When every licence was looked at.' })
  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;
}

@ObjectType({ description: 'How far an order is.' })
export class PlanMigrationProgress {
  @Field(() => Int, { description: 'Licences it is about.' }) licenses!: number;
  @Field(() => Int, { description: 'Moved at once.' }) moved!: number;
  @Field(() => Int, { description: 'To be moved at the end of a period.' }) scheduled!: number;
  @Field(() => Int, { description: 'Left alone: closed, gone elsewhere, or waiting for a change of their own.' })
  left!: number;
}

@ObjectType({ description: 'How many licences a move means what to.' })
export class MigrationDirectionCount {
  @Field(() => ChangeDirectionEnum, { nullable: true, description: 'Null where the price alone is another.' })
  direction!: ChangeDirection | null;
  @Field(() => Int) licenses!: number;
}

@ObjectType({ description: 'What a move would do. Its hash orders it, as long as it stays the same.' })
export class PlanMigrationPreview {
  @Field(() => String) hash!: string;
  @Field(() => Int, { description: 'Licences that hold the former version.' }) licenses!: number;
  @Field(() => [MigrationDirectionCount]) directions!: MigrationDirectionCount[];
  @Field(() => Int, { description: 'Would be moved at once.' }) moved!: number;
  @Field(() => Int, { description: 'Would be moved at the end of a period.' }) scheduled!: number;
  @Field(() => Int, { description: 'Would be left alone.' }) left!: number;
}
