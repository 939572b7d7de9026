import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  Continuity,
  NotWhileActing,
  RequiresPermission,
  RequiresStrongProof,
  SignedIn,
} from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf, UserError } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { nameOf, personById } from '../loaders.ts';
import { Tenant } from '../tenant.stub.ts';
import { User } from '../user.entity.ts';
import { Me } from '../user.resolver.ts';
import { ActingFor, Impersonation, ImpersonationModeEnum } from './impersonation.entity.ts';
import type { ImpersonationMode } from './impersonation.rules.ts';
import * as service from './impersonation.service.ts';

const ImpersonationConnection = connectionOf(Impersonation, 'Impersonation');

@InputType()
class ImpersonationInput {
  @Field(() => ID, { description: 'Whose eyes to see through.' }) userId!: string;
  @Field(() => ID, {
    nullable: true,
    description: "For support of the platform: in which tenant. An ISP's own staff leave it out.",
  })
  tenantId?: string | null;
  @Field(() => ID, { nullable: true, description: 'Which customer, when they speak for several.' })
  customerId?: string | null;
  @Field(() => ImpersonationModeEnum, { defaultValue: 'READ' }) mode!: ImpersonationMode;
  @Field(() => String, { description: '10 to 500 characters, for the tenant to read.' }) reason!: string;
  @Field(() => String, { nullable: true, description: 'At most 60 characters; support of the platform names one.' })
  ticket?: string | null;
}

@ObjectType()
class StartImpersonationPayload {
  @Field(() => Impersonation, { nullable: true }) impersonation?: Impersonation | null;
  @Field(() => String, {
    nullable: true,
    description: 'For `Authorization: Bearer`, until the impersonation ends; null while it waits for an approval.',
  })
  accessToken?: string | null;
  @Field(() => DateTime, { nullable: true }) expiresAt?: Date | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

const ImpersonationPayload = payloadOf('ImpersonationPayload', 'impersonation', () => Impersonation);

@Resolver(() => Impersonation)
export class ImpersonationResolver {
  @Query(() => ImpersonationConnection, { description: 'Who of support was here, and in whose name; newest first.' })
  @RequiresPermission('identity.impersonation.read')
  impersonations(@Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return service.listImpersonations(ctx, page);
  }

  @FieldResolver(() => String)
  async operatorName(@Root() { operatorId }: Impersonation, @Ctx() ctx: Context) {
    return (await ctx.load(nameOf, operatorId)) ?? '';
  }

  @FieldResolver(() => User, { nullable: true, description: 'In whose name.' })
  user(@Root() { userId }: Impersonation, @Ctx() ctx: Context) {
    return ctx.load(personById, userId);
  }

  @FieldResolver(() => User, { nullable: true })
  approvedBy(@Root() { approvedBy }: Impersonation, @Ctx() ctx: Context) {
    return approvedBy ? ctx.load(personById, approvedBy) : null;
  }

  @Mutation(() => StartImpersonationPayload, {
    description:
      'Half an hour as somebody else sees it. Asked again for the same person it answers the same one, with its token once the tenant has approved.',
  })
  @SignedIn()
  @RequiresStrongProof()
  @Continuity()
  startImpersonation(@Arg('input', () => ImpersonationInput) input: ImpersonationInput, @Ctx() ctx: Context) {
    return payload(() => service.startImpersonation(ctx, input));
  }

  @Mutation(() => DonePayload, { description: 'By whoever acts, or by an administrator of the tenant.' })
  @SignedIn()
  @NotWhileActing()
  @Continuity()
  endImpersonation(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => service.endImpersonation(ctx, id)));
  }

  @Mutation(() => ImpersonationPayload)
  @RequiresPermission('identity.impersonation.approve')
  @RequiresStrongProof()
  @Continuity()
  approveImpersonation(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return payload(async () => ({ impersonation: await service.approveImpersonation(ctx, id) }));
  }

  @Mutation(() => ImpersonationPayload)
  @RequiresPermission('identity.impersonation.approve')
  @RequiresStrongProof()
  @Continuity()
  refuseImpersonation(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return payload(async () => ({ impersonation: await service.refuseImpersonation(ctx, id) }));
  }
}

@Resolver(() => Tenant)
export class TenantImpersonationsResolver {
  @FieldResolver(() => ImpersonationConnection, {
    nullable: true,
    description: 'Who of support was here, for the tenant of the token.',
  })
  @RequiresPermission('identity.impersonation.read')
  impersonations(@Root() { id }: Tenant, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return id === ctx.tenantId ? service.listImpersonations(ctx, page) : null;
  }
}

@Resolver(() => Me)
export class ActingResolver {
  @FieldResolver(() => ActingFor, {
    nullable: true,
    description: 'Who really asks, when support acts in their name; show it as a banner.',
  })
  async actingFor(@Ctx() ctx: Context): Promise<ActingFor | null> {
    return service.whoActs(ctx);
  }
}
