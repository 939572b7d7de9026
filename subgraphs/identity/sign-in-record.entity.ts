import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../schema/scalars.ts';
import type { ProofMethod } from './session.rules.ts';

export type SignInOutcome =
  | 'OK'
  | 'BAD_SECRET'
  | 'LOCKED'
  | 'BAD_FACTOR'
  | 'NO_TENANT'
  | 'POLICY'
  | 'PROVIDER'
  | 'REUSED';
export const SignInOutcomeEnum = {
  OK: 'OK',
  BAD_SECRET: 'BAD_SECRET',
  LOCKED: 'LOCKED',
  BAD_FACTOR: 'BAD_FACTOR',
  NO_TENANT: 'NO_TENANT',
  POLICY: 'POLICY',
  PROVIDER: 'PROVIDER',
  REUSED: 'REUSED',
} as const satisfies { [O in SignInOutcome]: O };
registerEnumType(SignInOutcomeEnum, {
  name: 'SignInOutcome',
  valuesConfig: {
    LOCKED: { description: 'Not looked at, because too many attempts had failed.' },
    NO_TENANT: { description: 'Right, and no tenant to sign in to.' },
    REUSED: { description: 'A refresh token that had been used before.' },
  },
});

/** One attempt to sign in, kept as it happened. Never holds a secret. */
@ObjectType({ description: 'One attempt to sign in.' })
@Entity({ schema: 'identity', tableName: 'sign_in_record' })
export class SignInRecord {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => DateTime) @Property({ type: 'datetime', defaultRaw: 'now()' }) at!: Opt<Date>;
  @Property({ type: 'uuid', nullable: true }) userId!: string | null;
  /** A keyed hash of the mail where nobody is known by it. */
  @Property({ type: 'string', nullable: true }) mailHash!: string | null;
  @Property({ type: 'uuid', nullable: true }) homeId!: string | null;
  @Property({ type: 'uuid', nullable: true }) membershipId!: string | null;
  @Property({ type: 'uuid', nullable: true }) sessionId!: string | null;
  @Field(() => SignInOutcomeEnum) @Property({ type: 'string' }) outcome!: SignInOutcome;
  @Field(() => String, { description: 'As in `ProofMethod`, or REFRESH for a refresh token.' })
  @Property({ type: 'string' })
  method!: ProofMethod | 'REFRESH';
  @Field(() => String, { nullable: true, description: 'Where from; after 90 days only roughly.' })
  @Property({ type: 'string', nullable: true })
  address!: string | null;
  @Field(() => String, { nullable: true, description: 'What program it said it is.' })
  @Property({ type: 'string', nullable: true })
  agent!: string | null;
}
