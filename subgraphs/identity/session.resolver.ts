import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { both, Cost, type Decorator, NotWhileActing, OpenDoor, Queued, WhileMustDo } from '../../schema/directives.ts';
import type { LoggedEvent } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import { PLATFORM_TENANT } from '../_kernel/db.ts';
import { logHead } from '../_kernel/events.ts';
import { follow } from '../_kernel/live.ts';
import { DonePayload, done } from './done.payload.ts';
import { stepUp } from './factors/step-up.service.ts';
import { toldEverywhere } from './grant.service.ts';
import { IdInput } from './id.input.ts';
import { refreshSession } from './refresh.service.ts';
import { Session, SessionEnd, TransportEnum } from './session.entity.ts';
import type { EndReason, Transport } from './session.rules.ts';
import * as service from './session.service.ts';
import { answer, justTokens, SignInPayload } from './sign-in.payload.ts';
import { signIn } from './sign-in.service.ts';
import { switchTenant } from './switch.service.ts';

/** To try a password takes 64 MiB and as long as many rows that are read, and so few are tried at once that others wait. */
export const HashesPassword = (): Decorator => both(Cost(30), Queued());

@InputType()
class SignInInput {
  @Field(() => String) email!: string;
  @Field(() => String) password!: string;
  @Field(() => String, { nullable: true, description: 'Slug of the ISP whose customer signs in. Staff leaves it out.' })
  realm?: string | null;
  @Field(() => String, { nullable: true, description: 'Slug of the tenant to begin in.' }) tenant?: string | null;
  @Field(() => String, { nullable: true, description: 'Of an earlier sign-in on this device.' })
  deviceMark?: string | null;
  @Field(() => TransportEnum, { description: 'COOKIE for browsers, BODY for whoever keeps no cookies.' })
  transport!: Transport;
}

@InputType()
class RefreshInput {
  @Field(() => String, { nullable: true, description: 'Left out where the cookie carries it.' }) refreshToken?:
    | string
    | null;
}

@InputType()
class SwitchTenantInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => ID, { nullable: true, description: 'Which of several portal accounts there.' }) customerId?:
    | string
    | null;
}

@InputType()
class StepUpInput {
  @Field(() => String, { nullable: true, description: 'For whoever has no second factor.' }) password?: string | null;
  @Field(() => String, { nullable: true, description: 'Six digits of an authenticator app.' }) code?: string | null;
  @Field(() => String, { nullable: true, description: 'JSON of what `navigator.credentials.get` gave.' })
  passkey?: string | null;
  @Field(() => String, { nullable: true, description: 'Of the challenge the passkey answers.' }) token?: string | null;
}

export const SELF =
  'Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.';

@Resolver(() => Session)
export class SessionResolver {
  @Query(() => [Session], { description: 'Where one is signed in, the device used last first.' })
  @OpenDoor(SELF)
  @NotWhileActing()
  mySessions(@Ctx() ctx: Context) {
    return service.mySessions(ctx);
  }

  @FieldResolver(() => Boolean, { description: 'Whether it is the one that asks.' })
  isCurrent(@Root() { id }: Session, @Ctx() ctx: Context) {
    return id === ctx.envelope.sessionId;
  }

  @Mutation(() => SignInPayload, {
    description: 'Wrong mail, wrong password and a locked account get the same answer.',
  })
  @OpenDoor('Nobody is signed in before signing in.')
  @WhileMustDo()
  @HashesPassword()
  signIn(@Arg('input', () => SignInInput) input: SignInInput, @Ctx() ctx: Context) {
    return answer(() => signIn(ctx, input));
  }

  @Mutation(() => SignInPayload, { description: 'The next tokens. A token used before ends the session.' })
  @OpenDoor('The access token has run out; the refresh token is what proves.')
  @WhileMustDo()
  refreshSession(
    @Arg('input', () => RefreshInput, { nullable: true }) input: RefreshInput | null,
    @Ctx() ctx: Context,
  ) {
    return answer(() => justTokens(refreshSession(ctx, input?.refreshToken ?? ctx.envelope.refreshCookie)));
  }

  @Mutation(() => SignInPayload, {
    description: "The same session in another of one's tenants; a challenge where that one asks for more proof.",
  })
  @OpenDoor(SELF)
  @NotWhileActing()
  switchTenant(@Arg('input', () => SwitchTenantInput) input: SwitchTenantInput, @Ctx() ctx: Context) {
    return answer(() => switchTenant(ctx, input.tenantId, input.customerId ?? null));
  }

  @Mutation(() => SignInPayload, {
    description:
      'Proves once more who asks, for the doors that want it fresh. With an empty input it answers the challenge a passkey signs.',
  })
  @OpenDoor(SELF)
  @NotWhileActing()
  @WhileMustDo()
  @HashesPassword()
  stepUp(@Arg('input', () => StepUpInput) input: StepUpInput, @Ctx() ctx: Context) {
    return answer(() => stepUp(ctx, input));
  }

  @Mutation(() => DonePayload)
  @OpenDoor('Also by the cookie, when the access token has run out.')
  @NotWhileActing()
  @WhileMustDo()
  signOut(@Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => service.signOut(ctx)));
  }

  @Mutation(() => DonePayload, { description: "Ends another of one's own sessions." })
  @OpenDoor(SELF)
  @NotWhileActing()
  endSession(@Arg('input', () => IdInput) input: IdInput, @Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => service.endSession(ctx, input.id)));
  }

  @Mutation(() => DonePayload, { description: "Ends all of one's own sessions but this one." })
  @OpenDoor(SELF)
  @NotWhileActing()
  endOtherSessions(@Ctx() ctx: Context) {
    return done(() => toldEverywhere(ctx, () => service.endOtherSessions(ctx)));
  }

  @Subscription(() => SessionEnd, {
    description: 'Tells that the session which listens has ended, and why.',
    subscribe: ({ context }) => endOfMine(context as Context) as never,
  })
  @OpenDoor(SELF)
  @NotWhileActing()
  mySessionEnded(@Root() end: SessionEnd): SessionEnd {
    return end;
  }
}

function endOfMine(ctx: Context) {
  const { sessionId } = service.selfOf(ctx);
  const home = ctx.envelope.tenantId ? ctx : ctx.inTenant(PLATFORM_TENANT);
  return follow(
    home,
    async (reader) => ({ upTo: await logHead(await reader.em()), first: await service.endOf(ctx, sessionId) }),
    (events) =>
      events
        .filter(isEnd)
        .filter(({ payload: { sessionId: id } }) => id === sessionId)
        .map(toEnd),
  );
}

const isEnd = (event: LoggedEvent): event is LoggedEvent & LoggedEvent<'identity.session.ended'> =>
  event.name === 'identity.session.ended';
const toEnd = ({ payload: { sessionId, reason }, at }: LoggedEvent<'identity.session.ended'>): SessionEnd => ({
  sessionId,
  reason: reason as EndReason,
  at,
});
