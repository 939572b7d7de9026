import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** billing's node: whom a portal account speaks for. */
@ObjectType('Customer')
@Directive('@key(fields: "id")')
export class Customer {
  @Field(() => ID) id!: string;
}
