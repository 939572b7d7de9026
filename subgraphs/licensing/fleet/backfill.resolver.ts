import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import * as service from './backfill.service.ts';

@InputType()
class BackfillLicensesInput {
  @Field(() => Int, { defaultValue: 100, description: 'Tenants at most, 1 to 500.' }) first!: number;
}

@ObjectType()
class BackfillPayload {
  @Field(() => Int, { nullable: true, description: 'Tenants that got their licence now.' }) licensed?: number | null;
  @Field(() => Int, { nullable: true, description: 'Tenants that have none yet: call again until it is 0.' })
  remaining?: number | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@Resolver()
export class BackfillResolver {
  @Mutation(() => BackfillPayload, { description: 'Gives tenants that never had a licence their first one.' })
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  backfillLicenses(@Arg('input', () => BackfillLicensesInput) { first }: BackfillLicensesInput, @Ctx() ctx: Context) {
    return payload(() => service.backfillLicenses(ctx, first));
  }
}
