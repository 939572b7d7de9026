import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType('User')
@Directive('@key(fields: "id", resolvable: false)')
export class User {
  @Field(() => ID) id!: string;
}

export const userOf = (id: string | null | undefined): User | null => (id ? { id } : null);
