import { Arg, Ctx, Field, FieldResolver, InputType, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, NotWhileActing, RequiresPermission, RequiresStrongProof } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { ProofMethodEnum } from '../session.entity.ts';
import type { ProofMethod } from '../session.rules.ts';
import { Tenant } from '../tenant.stub.ts';
import { SignInPolicy, SupportAccessEnum } from './sign-in-policy.entity.ts';
import type { SupportAccess } from './sign-in-policy.rules.ts';
import * as service from './sign-in-policy.service.ts';

const SignInPolicyPayload = payloadOf('SignInPolicyPayload', 'signInPolicy', () => SignInPolicy);

@InputType({ description: 'What is left out stays as it is.' })
class SignInPolicyInput {
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => [String], { nullable: true, description: 'Keys of roles.' }) needsSecondFactor?: string[] | null;
  @Field(() => [ProofMethodEnum], { nullable: true }) methods?: ProofMethod[] | null;
  @Field(() => Int, { nullable: true, description: '15 to 1,440.' }) idleMinutes?: number | null;
  @Field(() => Int, { nullable: true, description: '1 to 168.' }) maxHours?: number | null;
  @Field(() => Int, { nullable: true, description: '1 to 365.' }) portalIdleDays?: number | null;
  @Field(() => Int, { nullable: true, description: '1 to 365.' }) portalMaxDays?: number | null;
  @Field(() => [String], { nullable: true, description: 'At most 20 networks; empty means any.' })
  addresses?: string[] | null;
  @Field(() => SupportAccessEnum, { nullable: true }) supportAccess?: SupportAccess | null;
}

@Resolver()
export class SignInPolicyResolver {
  @Query(() => SignInPolicy)
  @RequiresPermission('identity.policy.read')
  signInPolicy(@Ctx() ctx: Context) {
    return service.signInPolicy(ctx);
  }

  @Mutation(() => SignInPolicyPayload)
  @RequiresPermission('identity.policy.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  updateSignInPolicy(@Arg('input', () => SignInPolicyInput) input: SignInPolicyInput, @Ctx() ctx: Context) {
    return payload(async () => ({ signInPolicy: await service.updateSignInPolicy(ctx, input) }));
  }
}

@Resolver(() => Tenant)
export class TenantPolicyResolver {
  @FieldResolver(() => SignInPolicy, { nullable: true, description: 'For the tenant of the token.' })
  @RequiresPermission('identity.policy.read')
  signInPolicy(@Root() { id }: Tenant, @Ctx() ctx: Context) {
    return id === ctx.tenantId ? service.signInPolicy(ctx) : null;
  }
}
