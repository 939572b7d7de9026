import { ArgsType, Field, Int } from 'type-graphql';
import type { PageArgs } from '../../../schema/page.ts';

@ArgsType()
export class MessagePageArgs implements PageArgs {
  @Field(() => Int, { defaultValue: 50, description: 'At most 100.' }) first: number = 50;
  @Field(() => String, { nullable: true, description: 'The `endCursor` of the page before.' }) after?: string | null;
}
