import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType('Contact')
@Directive('@key(fields: "id", resolvable: false)')
export class Contact {
  @Field(() => ID) id!: string;
}
