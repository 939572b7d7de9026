import {
  Arg,
  Args,
  Ctx,
  Directive,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { Continuity, NotWhileActing, RequiresPermission, RequiresStrongProof } from '../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../schema/page.ts';
import { payload } from '../../schema/payload.ts';
import { DateTime } from '../../schema/scalars.ts';
import type { Context } from '../_kernel/context.ts';
import { Customer } from './customer.stub.ts';
import { toldEverywhere } from './grant.service.ts';
import { lastSignInOf, personById } from './loaders.ts';
import { memberUpdates } from './membership.changes.ts';
import { Membership, MembershipKindEnum, MembershipStateEnum, MemberUpdate } from './membership.entity.ts';
import { MembershipPayload } from './membership.payload.ts';
import type { MembershipKind, MembershipState } from './membership.rules.ts';
import * as service from './membership.service.ts';
import { grantsOfMember, permissionsOfMember, rolesOfMember } from './roles/loaders.ts';
import { PermissionGrant, Role } from './roles/role.entity.ts';
import { ownTenant } from './tenant.service.ts';
import { Tenant } from './tenant.stub.ts';
import { User } from './user.entity.ts';

const MembershipConnection = connectionOf(Membership, 'Membership');

@InputType()
class MemberFilter {
  @Field(() => MembershipKindEnum, { nullable: true }) kind?: MembershipKind | null;
  @Field(() => MembershipStateEnum, { nullable: true }) state?: MembershipState | null;
  @Field(() => String, { nullable: true, description: 'Key of a role they have.' }) role?: string | null;
}

@InputType()
export class MemberInput {
  @Field(() => ID) membershipId!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => String, { nullable: true, description: 'At most 200 characters.' }) reason?: string | null;
}

@InputType()
class MemberRolesInput {
  @Field(() => ID) membershipId!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => [String], { description: 'Keys of 1 to 5 roles.' }) roles!: string[];
}

@Resolver(() => Membership)
export class MembershipResolver {
  @Query(() => MembershipConnection, { description: 'Who is or was a member of this tenant, in the order they came.' })
  @RequiresPermission('identity.member.read')
  members(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => MemberFilter, { nullable: true }) filter: MemberFilter | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listMembers(ctx, filter ?? {}, page);
  }

  @Query(() => Membership, { nullable: true })
  @RequiresPermission('identity.member.read')
  member(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.memberById(ctx, id);
  }

  @Subscription(() => MemberUpdate, {
    description: 'Each change of a member of this tenant. With `after` also what happened since.',
    subscribe: ({ args, context }) => memberUpdates(context as Context, args.after ?? null) as never,
  })
  @RequiresPermission('identity.member.read')
  memberUpdated(
    @Root() update: MemberUpdate,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): MemberUpdate {
    return update;
  }

  @FieldResolver(() => User)
  user(@Root() membership: Membership, @Ctx() ctx: Context) {
    return membership.user ?? ctx.load(personById, membership.userId);
  }

  @FieldResolver(() => Tenant, { nullable: true })
  @Directive('@provides(fields: "name")')
  tenant(@Root() { tenant }: Membership, @Ctx() ctx: Context) {
    return tenant ?? ownTenant(ctx);
  }

  @FieldResolver(() => [Role])
  roles(@Root() membership: Membership, @Ctx() ctx: Context) {
    return rolesOfMember(ctx, membership);
  }

  @FieldResolver(() => [PermissionGrant], {
    description: 'What they have been given beside their roles, until its end.',
  })
  grants(@Root() membership: Membership, @Ctx() ctx: Context) {
    return grantsOfMember(ctx, membership);
  }

  @FieldResolver(() => Customer, { nullable: true, description: 'The one customer a portal account speaks for.' })
  customer(@Root() { customerId, homeId }: Membership, @Ctx() ctx: Context) {
    return customerId && homeId === ctx.envelope.tenantId ? { id: customerId } : null;
  }

  @FieldResolver(() => [String], { description: 'All their roles and grants allow, `domain.noun.action`.' })
  permissions(@Root() membership: Membership, @Ctx() ctx: Context) {
    return permissionsOfMember(ctx, membership);
  }

  @FieldResolver(() => DateTime, { nullable: true })
  lastSignInAt(@Root() { id }: Membership, @Ctx() ctx: Context) {
    return ctx.envelope.tenantId ? ctx.load(lastSignInOf, id) : null;
  }

  @Mutation(() => MembershipPayload, {
    description: 'Nobody gives what they do not hold, nor changes their own roles.',
  })
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  setMemberRoles(@Arg('input', () => MemberRolesInput) input: MemberRolesInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ membership: await service.setMemberRoles(ctx, input) })));
  }

  @Mutation(() => MembershipPayload)
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  suspendMember(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ membership: await service.suspendMember(ctx, input) })));
  }

  @Mutation(() => MembershipPayload)
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  restoreMember(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    return payload(async () => ({ membership: await service.restoreMember(ctx, input) }));
  }

  @Mutation(() => MembershipPayload, { description: 'For good: sessions end and the seat is free.' })
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  endMember(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ membership: await service.endMember(ctx, input) })));
  }
}

@Resolver(() => Tenant)
export class TenantResolver {
  @FieldResolver(() => MembershipConnection, {
    nullable: true,
    description: 'Its members, for the tenant of the token.',
  })
  @RequiresPermission('identity.member.read')
  members(@Root() { id }: Tenant, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return id === ctx.tenantId ? service.listMembers(ctx, {}, page) : null;
  }
}
