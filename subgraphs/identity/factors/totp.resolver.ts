import { Arg, Ctx, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Cost, NotWhileActing, OpenDoor, RequiresStrongProof, WhileMustDo } from '../../../schema/directives.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import * as service from './totp.service.ts';

const SELF = 'Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.';
const ANSWER_COST = 10;

@ObjectType({ description: 'Shown once, and holds only after `confirmTotp`.' })
class TotpEnrolmentPayload {
  @Field(() => String, { nullable: true, description: 'In base32, for whoever types it in.' }) secret?: string | null;
  @Field(() => String, { nullable: true, description: '`otpauth:` address for a QR code.' }) uri?: string | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@ObjectType({ description: 'Ten codes for whoever loses the rest, each good once. Shown once.' })
class RecoveryCodesPayload {
  @Field(() => [String], { nullable: true }) recoveryCodes?: string[] | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@InputType()
class CodeInput {
  @Field(() => String, { description: 'Six digits of the new app.' }) code!: string;
}

@Resolver()
export class TotpResolver {
  @Mutation(() => TotpEnrolmentPayload, { description: 'Begins with a new authenticator app.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  @WhileMustDo()
  enrolTotp(@Ctx() ctx: Context) {
    return payload(() => service.enrolTotp(ctx));
  }

  @Mutation(() => RecoveryCodesPayload, { description: 'Takes the new app into use. All other sessions end.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  @WhileMustDo()
  @Cost(ANSWER_COST)
  confirmTotp(@Arg('input', () => CodeInput) input: CodeInput, @Ctx() ctx: Context) {
    return payload(async () => ({ recoveryCodes: await service.confirmTotp(ctx, input.code) }));
  }

  @Mutation(() => DonePayload, { description: 'All other sessions end.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  removeTotp(@Ctx() ctx: Context) {
    return done(() => service.removeTotp(ctx));
  }

  @Mutation(() => RecoveryCodesPayload, { description: 'Those before are worth nothing.' })
  @OpenDoor(SELF)
  @RequiresStrongProof()
  @NotWhileActing()
  renewRecoveryCodes(@Ctx() ctx: Context) {
    return payload(async () => ({ recoveryCodes: await service.renewRecoveryCodes(ctx) }));
  }
}
