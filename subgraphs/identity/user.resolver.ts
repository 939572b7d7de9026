import { Ctx, Field, FieldResolver, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { OpenDoor, WhileMustDo } from '../../schema/directives.ts';
import type { Context } from '../_kernel/context.ts';
import { Membership } from './membership.entity.ts';
import { heldOf } from './membership.rules.ts';
import { memberById } from './membership.service.ts';
import { rolesOfMember } from './roles/loaders.ts';
import { Role } from './roles/role.entity.ts';
import { ProofMethodEnum } from './session.entity.ts';
import { ownTenant } from './tenant.service.ts';
import { Tenant } from './tenant.stub.ts';
import { User } from './user.entity.ts';
import * as service from './user.service.ts';

@ObjectType({ description: 'Who asks, and what they may do here.' })
export class Me {
  @Field(() => User) user!: User;
}

@Resolver(() => Me)
export class MeResolver {
  @Query(() => Me, { nullable: true, description: 'Who asks; null without a token.' })
  @OpenDoor('It tells whether somebody is signed in, also before they chose a tenant.')
  @WhileMustDo()
  async me(@Ctx() ctx: Context): Promise<Me | null> {
    const user = await service.whoAsks(ctx);
    return user && { user };
  }

  @FieldResolver(() => [ProofMethodEnum], { description: 'How they proved it in this session.' })
  methods(@Ctx() ctx: Context) {
    return service.myMethods(ctx);
  }

  @FieldResolver(() => [Membership], { description: 'What they are in each of their tenants.' })
  memberships(@Root() { user }: Me, @Ctx() ctx: Context) {
    return service.myMemberships(ctx, user);
  }

  @FieldResolver(() => Tenant, { nullable: true, description: 'The tenant of the token; null while none is chosen.' })
  tenant(@Ctx() ctx: Context) {
    return ownTenant(ctx);
  }

  @FieldResolver(() => [Role], { description: 'Their roles in the tenant of the token.' })
  async roles(@Ctx() ctx: Context) {
    const { membershipId, tenantId } = ctx.envelope;
    const membership = membershipId && tenantId ? await memberById(ctx, membershipId) : null;
    return membership ? rolesOfMember(ctx, membership) : [];
  }

  @FieldResolver(() => [String], { description: 'All they may do in the tenant of the token, `domain.noun.action`.' })
  permissions(@Ctx() ctx: Context) {
    return heldOf((permission) => ctx.can(permission));
  }
}

@Resolver(() => User)
export class UserResolver {
  @FieldResolver(() => Boolean, { description: 'Whether they have left this tenant.' })
  isFormer(@Root() user: User) {
    return user.isFormer ?? false;
  }

  @FieldResolver(() => String, { nullable: true, description: 'For who may read members, and for themselves.' })
  email(@Root() user: User, @Ctx() ctx: Context) {
    return isOpenTo(ctx, user) ? user.email : null;
  }

  @FieldResolver(() => String, { nullable: true, description: 'BCP 47. For who may read members, and for themselves.' })
  locale(@Root() user: User, @Ctx() ctx: Context) {
    return isOpenTo(ctx, user) ? user.locale : null;
  }
}

const isOpenTo = (ctx: Context, user: User) => ctx.can('identity.member.read') || ctx.actorId === user.id;
