import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** tenancy's node. Slug and name are known here too, so that a sign-in can name tenants before one is chosen. */
@ObjectType('Tenant')
@Directive('@key(fields: "id")')
@Directive('@key(fields: "slug")')
export class Tenant {
  @Field(() => ID) id!: string;
  @Field(() => String) slug!: string;
  @Field(() => String) @Directive('@external') name!: string;
}
