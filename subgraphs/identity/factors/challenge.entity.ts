import { ArrayType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { ProofMethodEnum } from '../session.entity.ts';
import type { ProofMethod, Transport } from '../session.rules.ts';

export type ChallengePurpose = 'SIGN_IN' | 'SWITCH' | 'STEP_UP' | 'REGISTER';

/** What a half-finished sign-in holds. */
@Entity({ schema: 'identity', tableName: 'challenge' })
export class Challenge {
  @PrimaryKey({ type: 'string' }) hash!: string;
  @Property({ type: 'string' }) purpose!: ChallengePurpose;
  @Property({ type: 'uuid', nullable: true }) userId!: string | null;
  @Property({ type: 'uuid', nullable: true }) sessionId!: string | null;
  /** The tenant a switch goes to, and the membership there. */
  @Property({ type: 'uuid', nullable: true }) homeId!: string | null;
  @Property({ type: 'uuid', nullable: true }) membershipId!: string | null;
  /** To the tenant's own provider, where that was proved first. */
  @Property({ type: 'uuid', nullable: true }) connectionId!: string | null;
  /** Proved so far. */
  @Property({ type: ArrayType }) methods!: ProofMethod[];
  /** What will do. */
  @Property({ type: ArrayType }) answers!: ProofMethod[];
  @Property({ type: 'string', nullable: true }) realm!: string | null;
  @Property({ type: 'string', nullable: true }) tenant!: string | null;
  @Property({ type: 'string', nullable: true }) transport!: Transport | null;
  @Property({ type: 'string' }) origin!: string;
  @Property({ type: 'string' }) nonce!: string;
  @Property({ type: 'integer' }) tries!: number;
  @Property({ type: 'datetime' }) expiresAt!: Date;
}

@ObjectType({ description: 'What is still to be proved. Answer it with `answerChallenge`, within five tries.' })
export class SignInChallenge {
  @Field(() => String, { description: 'Good once.' }) token!: string;
  @Field(() => [ProofMethodEnum], { description: 'One of them will do.' }) methods!: ProofMethod[];
  @Field(() => DateTime) expiresAt!: Date;
  @Field(() => String, {
    nullable: true,
    description: 'JSON for `navigator.credentials.get` or `.create`, where a passkey will do.',
  })
  passkeyOptions?: string | null;
}
