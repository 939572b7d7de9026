import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { Continuity, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { type Payload, payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Tenant } from '../tenant.entity.ts';
import { tenantById } from '../tenant.service.ts';
import * as progress from './progress.service.ts';
import * as service from './provisioning.service.ts';
import { ProvisioningProgress, type ProvisioningRun } from './provisioning-run.entity.ts';
import { RequestTenantInput } from './request.input.ts';

@ObjectType()
export class ProvisioningPayload {
  @Field(() => ProvisioningProgress, { nullable: true }) run?: ProvisioningProgress | null;
  @Field(() => String, { nullable: true, description: 'Lets whoever signed up follow the run.' }) ticket?:
    | string
    | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

/** The payload of a use case that begins or changes a run. */
export function runPayload(
  ctx: Context,
  run: () => Promise<ProvisioningRun>,
): Promise<Payload<{ run: ProvisioningProgress }>> {
  return payload(async () => ({ run: await progress.newestOf(ctx, await run()) }));
}

@InputType()
class RunInput {
  @Field(() => ID) runId!: string;
}

@ArgsType()
class FollowedRun {
  @Field(() => ID) runId!: string;
  @Field(() => String, { nullable: true, description: 'What `confirmSignUp` gave, for who has no account yet.' })
  ticket!: string | null;
  @Field(() => Int, { nullable: true, description: 'The newest `seq` that was seen: what follows it comes next.' })
  after!: number | null;
}

const BY_TICKET = 'whoever signed up has no account yet and shows a ticket';

@Resolver(() => ProvisioningProgress)
export class ProvisioningResolver {
  @Query(() => ProvisioningProgress, { nullable: true })
  @OpenDoor(BY_TICKET)
  provisioning(
    @Arg('runId', () => ID) runId: string,
    @Arg('ticket', () => String, { nullable: true }) ticket: string | null,
    @Ctx() ctx: Context,
  ) {
    return progress.progressOf(ctx, runId, ticket ?? null);
  }

  @FieldResolver(() => Tenant, { nullable: true })
  tenant(@Root() { tenantId }: ProvisioningProgress, @Ctx() ctx: Context) {
    return tenantById(ctx, tenantId);
  }

  @Mutation(() => ProvisioningPayload, { description: 'Registers a tenant and begins to set it up.' })
  @RequiresPermission('tenancy.tenant.provision')
  @Continuity()
  requestTenant(@Arg('input', () => RequestTenantInput) input: RequestTenantInput, @Ctx() ctx: Context) {
    const { idempotencyKey, ...asked } = input;
    return runPayload(ctx, () => service.requestTenant(ctx, asked, idempotencyKey));
  }

  @Mutation(() => ProvisioningPayload, { description: 'Tries a failed tenant anew, or goes on undoing a stuck run.' })
  @RequiresPermission('tenancy.tenant.provision')
  @Continuity()
  retryProvisioning(@Arg('input', () => RunInput) { runId }: RunInput, @Ctx() ctx: Context) {
    return runPayload(ctx, () => service.retryProvisioning(ctx, runId));
  }

  @Mutation(() => ProvisioningPayload, { description: 'Undoes a run that has not come to its last step.' })
  @RequiresPermission('tenancy.tenant.provision')
  @Continuity()
  cancelProvisioning(@Arg('input', () => RunInput) { runId }: RunInput, @Ctx() ctx: Context) {
    return runPayload(ctx, () => service.cancelProvisioning(ctx, runId));
  }

  @Subscription(() => ProvisioningProgress, {
    description: 'How a run stands, and then each change of it; with `after` all that followed that change.',
    subscribe: ({ args, context }) =>
      progress.progressOfRun(context as Context, {
        ...{ runId: String(args.runId), ticket: args.ticket ?? null, after: args.after ?? null },
      }) as never,
  })
  @OpenDoor(BY_TICKET)
  provisioningProgress(
    @Root() told: ProvisioningProgress,
    @Args(() => FollowedRun) _asked: FollowedRun,
  ): ProvisioningProgress {
    return told;
  }
}
