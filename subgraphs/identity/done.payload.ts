import { Field, ObjectType } from 'type-graphql';
import { type Payload, payload, UserError } from '../../schema/payload.ts';

@ObjectType({ description: 'The answer of a mutation that makes nothing to show.' })
export class DonePayload {
  @Field(() => Boolean) isDone!: boolean;
  @Field(() => [UserError]) userErrors!: UserError[];
}

/** Runs a use case that answers nothing; a `Refusal` becomes a `userError`. */
export async function done(run: () => Promise<void>): Promise<DonePayload> {
  const { userErrors }: Payload<object> = await payload(async () => {
    await run();
    return {};
  });
  return { isDone: userErrors.length === 0, userErrors };
}
