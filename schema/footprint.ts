import { Directive, Field, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'What a tenant would no longer get at if it lost a feature. Nothing is deleted.' })
@Directive('@shareable')
export class FeatureFootprint {
  @Field(() => String, { description: 'What is counted, in words: `open tickets`.' }) noun!: string;
  @Field(() => Int) count!: number;
  @Field(() => String, { description: 'What becomes of it, as a sentence for people.' }) meaning!: string;
}
