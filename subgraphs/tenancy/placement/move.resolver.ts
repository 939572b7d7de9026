import { Arg, Ctx, Field, ID, InputType, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import * as service from './move.service.ts';
import { MoveRun } from './move-run.entity.ts';
import { IsolationEnum } from './placement.entity.ts';
import type { Isolation } from './placement.rules.ts';

const MoveTenantPayload = payloadOf('MoveTenantPayload', 'move', () => MoveRun);

@InputType()
class MoveTenantInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => IsolationEnum) isolation!: Isolation;
  @Field(() => String, { nullable: true, description: 'us, eu, africa or apac; left out, it stays where it is.' })
  region?: string | null;
  @Field(() => String) idempotencyKey!: string;
}

@Resolver(() => MoveRun)
export class MoveResolver {
  @Query(() => MoveRun, { nullable: true, description: 'How far the move of a tenant has come.' })
  @RequiresPermission('tenancy.fleet.read')
  tenantMove(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.moveById(ctx, id);
  }

  @Mutation(() => MoveTenantPayload, {
    description: 'Moves a tenant to another home. It is read all the while, and not written for a minute at most.',
  })
  @RequiresPermission('tenancy.fleet.manage')
  @Continuity()
  moveTenant(@Arg('input', () => MoveTenantInput) input: MoveTenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ move: await service.moveTenant(ctx, input) }));
  }
}
