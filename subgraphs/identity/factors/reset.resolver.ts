import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, NotWhileActing, RequiresPermission, RequiresStrongProof } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload } from '../done.payload.ts';
import { hasFactor } from '../loaders.ts';
import { Membership } from '../membership.entity.ts';
import { MemberInput } from '../membership.resolver.ts';
import { resetMemberSecondFactor } from './reset.service.ts';

@Resolver(() => Membership)
export class SecondFactorResolver {
  @FieldResolver(() => Boolean, { description: 'Whether an authenticator app or a passkey protects them.' })
  async hasSecondFactor(@Root() { userId }: Membership, @Ctx() ctx: Context) {
    return (await ctx.load(hasFactor, userId)) ?? false;
  }

  @Mutation(() => DonePayload, {
    description:
      'For a member who has lost theirs. Of people who are also elsewhere the platform does it, by two of its people: for the first one nothing is done yet.',
  })
  @RequiresPermission('identity.member.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  async resetMemberSecondFactor(@Arg('input', () => MemberInput) input: MemberInput, @Ctx() ctx: Context) {
    const { isDone, userErrors } = await payload(async () => ({ isDone: await resetMemberSecondFactor(ctx, input) }));
    return { isDone: isDone ?? false, userErrors };
  }
}
