import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { OpenDoor, WhileMustDo } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { toldEverywhere } from '../grant.service.ts';
import { HashesPassword } from '../session.resolver.ts';
import { answer, SignInPayload } from '../sign-in.payload.ts';
import { ActivateInput, ProofInput, RegisterInput, ResetInput, ResetRequestInput } from './account.inputs.ts';
import { activateAccount } from './invitation.service.ts';
import { proveEmail, registerUser } from './registration.service.ts';
import { lockMyAccount, requestPasswordReset, resetPassword } from './reset.service.ts';

const NOBODY_YET = 'Nobody has an account before they have made it.';
const BY_MAIL = 'Who cannot sign in proves by mail who they are.';

/** What is done with an account before signing in. */
@Resolver()
export class OpenAccountResolver {
  @Mutation(() => DonePayload, {
    description: 'Makes an account and mails a link that proves the address. Known addresses get the same answer.',
  })
  @OpenDoor(NOBODY_YET)
  @WhileMustDo()
  @HashesPassword()
  registerUser(@Arg('input', () => RegisterInput) input: RegisterInput, @Ctx() ctx: Context) {
    return done(() => registerUser(ctx, input));
  }

  @Mutation(() => SignInPayload, { description: 'Proves a first or a new address. It opens no session: then sign in.' })
  @OpenDoor(BY_MAIL)
  @WhileMustDo()
  proveEmail(@Arg('input', () => ProofInput) input: ProofInput, @Ctx() ctx: Context) {
    return answer(() => toldEverywhere(ctx, () => proveEmail(ctx, input.token)));
  }

  @Mutation(() => SignInPayload, {
    description: 'Sets the password of an account somebody was invited to, and signs them in.',
  })
  @OpenDoor(BY_MAIL)
  @WhileMustDo()
  @HashesPassword()
  activateAccount(@Arg('input', () => ActivateInput) input: ActivateInput, @Ctx() ctx: Context) {
    return answer(() => activateAccount(ctx, input));
  }

  @Mutation(() => DonePayload, {
    description: 'Mails a link to who has an account. The answer does not tell whether one has.',
  })
  @OpenDoor(BY_MAIL)
  @WhileMustDo()
  requestPasswordReset(@Arg('input', () => ResetRequestInput) input: ResetRequestInput, @Ctx() ctx: Context) {
    return done(() => requestPasswordReset(ctx, input.email, input.realm ?? null));
  }

  @Mutation(() => DonePayload, {
    description: 'All sessions end, and a second factor is asked for at the next sign-in.',
  })
  @OpenDoor(BY_MAIL)
  @WhileMustDo()
  @HashesPassword()
  resetPassword(@Arg('input', () => ResetInput) input: ResetInput, @Ctx() ctx: Context) {
    return done(() => resetPassword(ctx, input.token, input.password));
  }

  @Mutation(() => DonePayload, {
    description: 'From a warning mail: all sessions end, and nobody signs in before the password is reset.',
  })
  @OpenDoor(BY_MAIL)
  @WhileMustDo()
  lockMyAccount(@Arg('input', () => ProofInput) input: ProofInput, @Ctx() ctx: Context) {
    return done(() => lockMyAccount(ctx, input.token));
  }
}
