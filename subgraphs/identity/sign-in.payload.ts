import { Field, ObjectType } from 'type-graphql';
import { type Payload, payload, UserError } from '../../schema/payload.ts';
import { SignInChallenge } from './factors/challenge.entity.ts';
import type { SignedIn } from './factors/first-proof.service.ts';
import { Membership } from './membership.entity.ts';
import { SessionTokens } from './session.entity.ts';

@ObjectType()
export class SignInPayload {
  @Field(() => SessionTokens, { nullable: true }) session?: SessionTokens | null;
  @Field(() => SignInChallenge, {
    nullable: true,
    description: 'What is still to be proved; there is no session then.',
  })
  challenge?: SignInChallenge | null;
  @Field(() => [Membership], { description: 'After signing in: where they may go with `switchTenant`.' })
  tenants!: Membership[];
  @Field(() => [UserError]) userErrors!: UserError[];
}

/** Runs a use case that signs somebody in; a `Refusal` becomes a `userError`. */
export async function answer(run: () => Promise<SignedIn>): Promise<Payload<SignInPayload>> {
  return { tenants: [], ...(await payload(run)) };
}

/** What goes on in a session there is already. */
export const justTokens = async (tokens: Promise<SessionTokens>): Promise<SignedIn> => ({
  session: await tokens,
  tenants: [],
});
