import { Arg, Ctx, Field, ID, InputType, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission, RequiresStrongProof } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { MembershipPayload } from '../membership.payload.ts';
import * as service from './permission-grant.service.ts';
import { PermissionVerdict } from './role.entity.ts';

@InputType()
class GrantInput {
  @Field(() => ID) membershipId!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => String, { description: '`domain.noun.action`.' }) permission!: string;
  @Field(() => String, { description: '5 to 200 characters.' }) reason!: string;
  @Field(() => DateTime, { description: 'At most 90 days from now.' }) until!: Date;
}

@Resolver()
export class PermissionGrantResolver {
  @Query(() => PermissionVerdict, { description: 'Whether somebody may do something here, and why.' })
  @RequiresPermission('identity.role.read')
  explainPermission(
    @Arg('userId', () => ID) userId: string,
    @Arg('permission', () => String) permission: string,
    @Ctx() ctx: Context,
  ) {
    return service.explainPermission(ctx, userId, permission);
  }

  @Mutation(() => MembershipPayload, { description: 'Nobody gives what they do not hold, nor anything to themselves.' })
  @RequiresPermission('identity.role.manage')
  @RequiresStrongProof()
  @Continuity()
  grantPermission(@Arg('input', () => GrantInput) input: GrantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ membership: await service.grantPermission(ctx, input) }));
  }

  @Mutation(() => MembershipPayload)
  @RequiresPermission('identity.role.manage')
  @RequiresStrongProof()
  @Continuity()
  revokePermission(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ membership: await service.revokePermission(ctx, id) })));
  }
}
