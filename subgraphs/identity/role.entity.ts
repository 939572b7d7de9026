import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A named set of permissions.' })
@Directive('@key(fields: "id")')
export class Role {
  @Field(() => ID) id!: string;
  @Field(() => String) key!: string;
  @Field(() => String) name!: string;
  @Field(() => [String], { description: 'What it allows in this tenant, `domain.noun.action`, sorted.' })
  permissions!: string[];
}
