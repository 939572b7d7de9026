import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, ListSize, NotWhileActing, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer } from '../customer.stub.ts';
import { toldEverywhere } from '../grant.service.ts';
import { Membership } from '../membership.entity.ts';
import { MembershipPayload } from '../membership.payload.ts';
import { MemberInput } from '../membership.resolver.ts';
import { portalAccountsOf } from './loaders.ts';
import { MAX_PORTAL_ACCOUNTS } from './portal-access.rules.ts';
import * as service from './portal-access.service.ts';

@InputType()
class PortalAccessInput {
  @Field(() => ID) customerId!: string;
  @Field(() => String) email!: string;
  @Field(() => String, { description: '1 to 120 characters.' }) displayName!: string;
}

@Resolver()
export class PortalAccessResolver {
  @Mutation(() => MembershipPayload, {
    description:
      'They get a mail with which they set their password, within seven days. Asked again, it is sent again.',
  })
  @RequiresPermission('identity.portal_access.manage')
  @NotWhileActing()
  @Continuity()
  givePortalAccess(@Arg('input', () => PortalAccessInput) input: PortalAccessInput, @Ctx() ctx: Context) {
    return payload(async () => ({ membership: await service.givePortalAccess(ctx, input) }));
  }

  @Mutation(() => MembershipPayload, { description: 'For good: their sessions for this customer end.' })
  @RequiresPermission('identity.portal_access.manage')
  @NotWhileActing()
  @Continuity()
  endPortalAccess(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ membership: await service.endPortalAccess(ctx, input) })));
  }
}

@Resolver(() => Customer)
export class CustomerPortalResolver {
  @FieldResolver(() => [Membership], {
    nullable: true,
    description: 'Who speaks for the customer in the portal; for staff, and for the customer.',
  })
  @RequiresPermission('identity.member.read', { orOwn: true })
  @ListSize(MAX_PORTAL_ACCOUNTS)
  async portalAccounts(@Root() { id }: Customer, @Ctx() ctx: Context) {
    return (await ctx.load(portalAccountsOf, id)) ?? [];
  }
}
