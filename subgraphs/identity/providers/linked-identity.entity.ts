import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { Provider } from './provider.rules.ts';

export const ProviderEnum = {
  GOOGLE: 'GOOGLE',
  GITHUB: 'GITHUB',
  MICROSOFT: 'MICROSOFT',
  SSO: 'SSO',
} as const satisfies { [P in Provider]: P };
registerEnumType(ProviderEnum, {
  name: 'IdentityProvider',
  description: 'Who else says who somebody is.',
  valuesConfig: { SSO: { description: "A tenant's own provider." } },
});

@ObjectType({ description: 'An account at another provider one signs in with.' })
@Entity({ schema: 'identity', tableName: 'linked_identity' })
export class LinkedIdentity {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) userId!: string;
  @Field(() => ProviderEnum) @Property({ type: 'string' }) provider!: Provider;
  @Field(() => String) @Property({ type: 'string' }) issuer!: string;
  @Property({ type: 'string' }) subject!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) linkedAt!: Date;
}
