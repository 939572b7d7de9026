import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, NotWhileActing, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { acceptInvitation, previewOf } from './accept-invitation.service.ts';
import { Invitation, InvitationPreview, InvitationStateEnum } from './invitation.entity.ts';
import { type InvitationState, stateAt } from './invitation.rules.ts';
import * as service from './invitation.service.ts';

const InvitationConnection = connectionOf(Invitation, 'Invitation');
const InvitationPayload = payloadOf('InvitationPayload', 'invitation', () => Invitation);

@InputType()
class InviteMemberInput {
  @Field(() => String) email!: string;
  @Field(() => String, { description: 'Key of a built-in role, none that may do what the inviter may not.' })
  role!: string;
}

@InputType()
class InvitationInput {
  @Field(() => ID) invitationId!: string;
}

@InputType()
class AcceptInvitationInput {
  @Field(() => String, { description: 'What the link carries behind its #.' }) token!: string;
}

@Resolver(() => Invitation)
export class InvitationResolver {
  @Query(() => InvitationConnection, { description: 'Who was asked to work here, newest first.' })
  @RequiresPermission('tenancy.invitation.manage')
  invitations(
    @Arg('state', () => InvitationStateEnum, { nullable: true }) state: InvitationState | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listInvitations(ctx, state, page);
  }

  @Query(() => InvitationPreview, { nullable: true, description: 'Who invites whoever holds the token, and as what.' })
  @OpenDoor('Whoever is invited looks at it before they have signed in.')
  invitation(@Arg('token', () => String) token: string, @Ctx() ctx: Context) {
    return previewOf(ctx, token);
  }

  @FieldResolver(() => InvitationStateEnum)
  async state(@Root() invitation: Invitation, @Ctx() ctx: Context) {
    if (invitation.state === 'PENDING' && ctx.envelope.tenantId) await ctx.em();
    return invitation.state === 'PENDING' ? stateAt(invitation, ctx.now()) : invitation.state;
  }

  @Mutation(() => InvitationPayload, { description: 'Asks somebody by mail to work here.' })
  @RequiresPermission('tenancy.invitation.manage')
  @Continuity()
  inviteMember(@Arg('input', () => InviteMemberInput) input: InviteMemberInput, @Ctx() ctx: Context) {
    return payload(async () => ({ invitation: await service.inviteMember(ctx, input) }));
  }

  @Mutation(() => InvitationPayload, { description: 'Sends it again: a new link, and seven days from now.' })
  @RequiresPermission('tenancy.invitation.manage')
  @Continuity()
  resendInvitation(@Arg('input', () => InvitationInput) { invitationId }: InvitationInput, @Ctx() ctx: Context) {
    return payload(async () => ({ invitation: await service.resendInvitation(ctx, invitationId) }));
  }

  @Mutation(() => InvitationPayload)
  @RequiresPermission('tenancy.invitation.manage')
  @Continuity()
  revokeInvitation(@Arg('input', () => InvitationInput) { invitationId }: InvitationInput, @Ctx() ctx: Context) {
    return payload(async () => ({ invitation: await service.revokeInvitation(ctx, invitationId) }));
  }

  @Mutation(() => InvitationPayload, {
    description: 'Goes to work where one was invited; one seat of its plan is taken.',
  })
  @OpenDoor('Whoever signs in is the person of every tenant and of none; the link says where.')
  @NotWhileActing()
  acceptInvitation(@Arg('input', () => AcceptInvitationInput) { token }: AcceptInvitationInput, @Ctx() ctx: Context) {
    return payload(async () => ({ invitation: await acceptInvitation(ctx, token) }));
  }
}
