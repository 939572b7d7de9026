import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, Cost, RequiresPermission } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { PlanVersion } from '../catalogue/plan.entity.ts';
import { planVersionById } from '../catalogue/plan.service.ts';
import {
  MigrationTimingEnum,
  PlanMigration,
  PlanMigrationPreview,
  PlanMigrationProgress,
} from './plan-migration.entity.ts';
import type { MigrationTiming } from './plan-migration.rules.ts';
import * as service from './plan-migration.service.ts';
import { beginMigration, migrationProgress } from './plan-migration-run.service.ts';

const PlanMigrationPayload = payloadOf('PlanMigrationPayload', 'migration', () => PlanMigration);

@InputType()
class PlanMigrationInput {
  @Field(() => ID) fromVersionId!: string;
  @Field(() => ID) toVersionId!: string;
  @Field(() => [ID], { nullable: true, description: 'At most 1,000; left out, all that hold the version.' })
  tenantIds?: string[] | null;
  @Field(() => MigrationTimingEnum) when!: MigrationTiming;
}

@InputType()
class MigratePlanVersionInput extends PlanMigrationInput {
  @Field(() => String, { description: '`hash` of the preview.' }) previewHash!: string;
  @Field(() => String) idempotencyKey!: string;
}

@Resolver(() => PlanMigration)
export class PlanMigrationResolver {
  @Query(() => PlanMigrationPreview, {
    description: 'What a move to another version would do. Nothing is changed by asking.',
  })
  @RequiresPermission('licensing.catalog.manage')
  @Cost(500)
  previewPlanMigration(@Arg('input', () => PlanMigrationInput) input: PlanMigrationInput, @Ctx() ctx: Context) {
    return service.previewPlanMigration(ctx, input);
  }

  @Query(() => PlanMigration, { nullable: true })
  @RequiresPermission('licensing.catalog.manage')
  planMigration(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.planMigrationById(ctx, id);
  }

  @Mutation(() => PlanMigrationPayload, {
    description: 'Moves licences as its preview showed: a hundred at once, more in pages.',
  })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  migratePlanVersion(@Arg('input', () => MigratePlanVersionInput) input: MigratePlanVersionInput, @Ctx() ctx: Context) {
    return payload(async () => ({
      migration: await beginMigration(ctx, await service.migratePlanVersion(ctx, input)),
    }));
  }

  @FieldResolver(() => MigrationTimingEnum)
  when(@Root() migration: PlanMigration) {
    return migration.timing;
  }

  @FieldResolver(() => PlanVersion)
  fromVersion(@Root() migration: PlanMigration, @Ctx() ctx: Context) {
    return planVersionById(ctx, migration.fromVersionId);
  }

  @FieldResolver(() => PlanVersion)
  toVersion(@Root() migration: PlanMigration, @Ctx() ctx: Context) {
    return planVersionById(ctx, migration.toVersionId);
  }

  @FieldResolver(() => PlanMigrationProgress)
  progress(@Root() migration: PlanMigration, @Ctx() ctx: Context) {
    return migrationProgress(ctx, migration);
  }
}
