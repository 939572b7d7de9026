import { Field, ID, InputType } from 'type-graphql';

/** What a door takes that needs to know only which one. */
@InputType()
export class IdInput {
  @Field(() => ID) id!: string;
}
