import { ArrayType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ProofMethodEnum } from '../session.entity.ts';
import type { ProofMethod } from '../session.rules.ts';
import type { Policy, SupportAccess } from './sign-in-policy.rules.ts';

export const SupportAccessEnum = { ASK: 'ASK', ALWAYS: 'ALWAYS', NEVER: 'NEVER' } as const;
registerEnumType(SupportAccessEnum, {
  name: 'SupportAccess',
  description: 'Whether support may see this tenant as one of its people does.',
  valuesConfig: { ASK: { description: 'Once an administrator has approved.' } },
});

@ObjectType({ description: 'How people must sign in to this tenant. It holds from their next sign-in or refresh.' })
@Entity({ schema: 'identity', tableName: 'sign_in_policy' })
export class SignInPolicy implements Policy {
  /** The tenant; the database fills it in. */
  @PrimaryKey({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => [String], { description: 'Keys of the roles whose holders need a second factor.' })
  @Property({ type: ArrayType })
  needsSecondFactor!: string[];
  @Field(() => [ProofMethodEnum], { description: 'What staff may prove themselves with.' })
  @Property({ type: ArrayType })
  methods!: ProofMethod[];
  @Field(() => Int, { description: 'A session of staff ends when it was not used for this long.' })
  @Property({ type: 'integer' })
  idleMinutes!: number;
  @Field(() => Int, { description: 'A session of staff ends after this long.' })
  @Property({ type: 'integer' })
  maxHours!: number;
  @Field(() => Int, { description: 'The same for customers.' }) @Property({ type: 'integer' }) portalIdleDays!: number;
  @Field(() => Int) @Property({ type: 'integer' }) portalMaxDays!: number;
  @Field(() => [String], { description: 'Networks staff may come from, in CIDR notation; empty means any.' })
  @Property({ type: ArrayType })
  addresses!: string[];
  @Field(() => SupportAccessEnum) @Property({ type: 'string' }) supportAccess!: SupportAccess;
  @Field(() => Int, { description: 'Zero while nothing was changed.' }) @Property({ type: 'integer' }) version!: number;
}
