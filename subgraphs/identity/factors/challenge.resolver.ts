import { Arg, Ctx, Field, InputType, Mutation, Resolver } from 'type-graphql';
import { Cost, OpenDoor, WhileMustDo } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { answer, SignInPayload } from '../sign-in.payload.ts';
import { answerChallenge } from './answer.service.ts';

/** To check an answer takes a few statements. */
const ANSWER_COST = 10;

@InputType({ description: 'A code, a recovery code or a passkey: one of them.' })
class AnswerChallengeInput {
  @Field(() => String) token!: string;
  @Field(() => String, { nullable: true, description: 'Six digits of an authenticator app.' }) code?: string | null;
  @Field(() => String, { nullable: true }) recoveryCode?: string | null;
  @Field(() => String, { nullable: true, description: 'JSON of what `navigator.credentials.get` gave.' })
  passkey?: string | null;
}

@Resolver()
export class ChallengeResolver {
  @Mutation(() => SignInPayload, { description: 'Proves what a sign-in still asks for. Five tries, five minutes.' })
  @WhileMustDo()
  @OpenDoor('Nobody is signed in before signing in; the token is what proves the first half.')
  @Cost(ANSWER_COST)
  answerChallenge(@Arg('input', () => AnswerChallengeInput) input: AnswerChallengeInput, @Ctx() ctx: Context) {
    const { token, ...given } = input;
    return answer(() => answerChallenge(ctx, token, given));
  }
}
