import { Arg, Ctx, Field, FieldResolver, InputType, Int, Mutation, Resolver, Root } from 'type-graphql';
import { Cost, NotWhileActing, OpenDoor, RequiresStrongProof, WhileMustDo } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { IdInput } from '../id.input.ts';
import { TransportEnum } from '../session.entity.ts';
import type { Transport } from '../session.rules.ts';
import { readGlobally } from '../tenant.service.ts';
import { Me } from '../user.resolver.ts';
import { SignInChallenge } from './challenge.entity.ts';
import { heldFactorsOf } from './held-factors.service.ts';
import { Passkey } from './passkey.entity.ts';
import * as service from './passkey.service.ts';

const SELF = 'Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.';
const ANSWER_COST = 10;

const ChallengePayload = payloadOf('ChallengePayload', 'challenge', () => SignInChallenge);
const PasskeyPayload = payloadOf('PasskeyPayload', 'passkey', () => Passkey);

@InputType()
class PasskeySignInInput {
  @Field(() => String, { nullable: true, description: 'Slug of the ISP whose customer signs in. Staff leaves it out.' })
  realm?: string | null;
  @Field(() => String, { nullable: true, description: 'Slug of the tenant to begin in.' }) tenant?: string | null;
  @Field(() => TransportEnum, { description: 'COOKIE for browsers, BODY for whoever keeps no cookies.' })
  transport!: Transport;
}

@InputType()
class AddPasskeyInput {
  @Field(() => String, { description: 'Of the challenge `startPasskey` gave.' }) token!: string;
  @Field(() => String, { description: 'JSON of what `navigator.credentials.create` gave.' }) passkey!: string;
  @Field(() => String, { description: 'What one calls it, at most 60 characters.' }) name!: string;
}

@Resolver(() => Me)
export class PasskeyResolver {
  @FieldResolver(() => [Passkey])
  passkeys(@Root() { user }: Me, @Ctx() ctx: Context) {
    return service.passkeysOf(ctx, user.id);
  }

  @FieldResolver(() => Boolean, { description: 'Whether an authenticator app is in use.' })
  async hasTotp(@Root() { user }: Me, @Ctx() ctx: Context) {
    return (await readGlobally(ctx, (em) => heldFactorsOf(em, user.id))).hasTotp;
  }

  @FieldResolver(() => Int, { description: 'Recovery codes that were not used.' })
  async recoveryCodesLeft(@Root() { user }: Me, @Ctx() ctx: Context) {
    return (await readGlobally(ctx, (em) => heldFactorsOf(em, user.id))).recoveryCodes;
  }

  @Mutation(() => ChallengePayload, {
    description: 'Begins a sign-in with a passkey alone; `answerChallenge` ends it.',
  })
  @OpenDoor('Nobody is signed in before signing in.')
  @WhileMustDo()
  @Cost(ANSWER_COST)
  startPasskeySignIn(@Arg('input', () => PasskeySignInInput) input: PasskeySignInInput, @Ctx() ctx: Context) {
    return payload(async () => ({ challenge: await service.startPasskeySignIn(ctx, input) }));
  }

  @Mutation(() => ChallengePayload, { description: 'Begins with a new passkey for the portal that asks.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  @WhileMustDo()
  startPasskey(@Ctx() ctx: Context) {
    return payload(async () => ({ challenge: await service.startPasskey(ctx) }));
  }

  @Mutation(() => PasskeyPayload, { description: 'Keeps a new passkey. All other sessions end.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  @WhileMustDo()
  addPasskey(@Arg('input', () => AddPasskeyInput) input: AddPasskeyInput, @Ctx() ctx: Context) {
    return payload(async () => ({ passkey: await service.addPasskey(ctx, input) }));
  }

  @Mutation(() => DonePayload, { description: 'All other sessions end.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  removePasskey(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return done(() => service.removePasskey(ctx, id));
  }
}
