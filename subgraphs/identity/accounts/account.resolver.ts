import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import {
  Continuity,
  NotWhileActing,
  OpenDoor,
  RequiresPermission,
  RequiresStrongProof,
} from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { MemberInput } from '../membership.resolver.ts';
import { endMemberSessions } from '../membership.service.ts';
import { HashesPassword, SELF } from '../session.resolver.ts';
import { answer, justTokens, SignInPayload } from '../sign-in.payload.ts';
import { User } from '../user.entity.ts';
import { ChangeEmailInput, ChangePasswordInput, ProfileInput, UserReasonInput } from './account.inputs.ts';
import { eraseMyAccount } from './erasure.service.ts';
import { changePassword } from './password.service.ts';
import * as profile from './profile.service.ts';
import { restoreUser, suspendUser } from './suspension.service.ts';

const UserPayload = payloadOf('UserPayload', 'user', () => User);

/** What people do with their own account, and what the platform and an administrator do with others'. */
@Resolver()
export class AccountResolver {
  @Mutation(() => SignInPayload, {
    description: 'All other sessions end; this one goes on with the tokens of the answer.',
  })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  @HashesPassword()
  changePassword(@Arg('input', () => ChangePasswordInput) input: ChangePasswordInput, @Ctx() ctx: Context) {
    return answer(() => justTokens(changePassword(ctx, input.password)));
  }

  @Mutation(() => DonePayload, { description: 'Mails a link to the new address; it counts once that was followed.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  changeEmail(@Arg('input', () => ChangeEmailInput) input: ChangeEmailInput, @Ctx() ctx: Context) {
    return done(() => profile.changeEmail(ctx, input.email));
  }

  @Mutation(() => UserPayload)
  @OpenDoor(SELF)
  @NotWhileActing()
  updateMyProfile(@Arg('input', () => ProfileInput) input: ProfileInput, @Ctx() ctx: Context) {
    return payload(async () => ({ user: await profile.updateMyProfile(ctx, input) }));
  }

  @Mutation(() => DonePayload, { description: "Ends one's own membership of a tenant, by its id." })
  @OpenDoor(SELF)
  @NotWhileActing()
  leaveTenant(@Arg('input', () => IdInput) input: IdInput, @Ctx() ctx: Context) {
    return done(() => profile.leaveTenant(ctx, input.id));
  }

  @Mutation(() => DonePayload, {
    description: 'For good: name, address and all proofs are gone. Who works for a tenant leaves it first.',
  })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  eraseMyAccount(@Ctx() ctx: Context) {
    return done(() => eraseMyAccount(ctx));
  }

  @Mutation(() => DonePayload, { description: 'Ends the sessions a member has for this tenant.' })
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  endMemberSessions(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => endMemberSessions(ctx, input)));
  }

  @Mutation(() => DonePayload, { description: 'Keeps a person out of every tenant.' })
  @RequiresPermission('identity.user.suspend')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  suspendUser(@Arg('input', () => UserReasonInput) input: UserReasonInput, @Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => suspendUser(ctx, input)));
  }

  @Mutation(() => DonePayload, { description: 'Lets a suspended person in again.' })
  @RequiresPermission('identity.user.suspend')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  restoreUser(@Arg('input', () => UserReasonInput) input: UserReasonInput, @Ctx() ctx: Context) {
    return done(() => restoreUser(ctx, input));
  }
}
