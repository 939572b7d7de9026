import { Arg, Ctx, Field, InputType, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, Cost, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { revocationList } from './revocation-list.service.ts';
import { SigningKey } from './signing-key.entity.ts';
import * as service from './signing-key.service.ts';

const SigningKeyPayload = payloadOf('SigningKeyPayload', 'signingKey', () => SigningKey);

@InputType()
class RotateSigningKeyInput {
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@InputType()
class RevokeSigningKeyInput {
  @Field(() => String) kid!: string;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@Resolver()
export class SigningKeyResolver {
  @Query(() => String, {
    description: 'JSON (RFC 7517): the keys licence files are signed with, each stated by a root.',
  })
  @OpenDoor('An installation that cannot sign in must still be able to tell a file of ours.')
  licenseKeySet(@Ctx() ctx: Context) {
    return service.licenseKeySet(ctx);
  }

  @Query(() => String, { description: 'A signed list of the files and keys that are not to be believed any more.' })
  @OpenDoor('Whoever holds a file must be able to learn that it was revoked.')
  @Cost(20)
  licenseRevocationList(@Ctx() ctx: Context) {
    return revocationList(ctx);
  }

  @Mutation(() => SigningKeyPayload, { description: 'Brings the next signing key forward.' })
  @RequiresPermission('licensing.key.manage')
  @Continuity()
  rotateSigningKey(@Arg('input', () => RotateSigningKeyInput) { reason }: RotateSigningKeyInput, @Ctx() ctx: Context) {
    return payload(async () => ({ signingKey: await service.rotateSigningKey(ctx, reason) }));
  }

  @Mutation(() => SigningKeyPayload, {
    description: 'Takes a signing key out of use for good, with every file it has signed.',
  })
  @RequiresPermission('licensing.key.manage')
  @Continuity()
  revokeSigningKey(
    @Arg('input', () => RevokeSigningKeyInput) { kid, reason }: RevokeSigningKeyInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => {
      const signingKey = await service.revokeSigningKey(ctx, kid, reason);
      await revocationList(ctx);
      return { signingKey };
    });
  }
}
