import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { MustDoEnum, ProofMethodEnum } from './session.entity.ts';
import type { MustDo, ProofMethod } from './session.rules.ts';
import { ImpersonationModeEnum } from './support/impersonation.entity.ts';
import type { ImpersonationMode } from './support/impersonation.rules.ts';

/** What a gateway holds of a session: whether its tokens are good, and what they allow. */
@ObjectType('SessionGrant')
@Directive('@inaccessible')
export class Grant {
  @Field(() => ID) sessionId!: string;
  @Field(() => String, { description: 'ACTIVE or ENDED.' }) state!: 'ACTIVE' | 'ENDED';
  @Field(() => String, { nullable: true }) endReason!: string | null;
  @Field(() => ID) userId!: string;
  @Field(() => String, { description: 'STAFF, or the tenant whose subscriber it is.' }) realm!: string;
  @Field(() => String, { description: 'STAFF or PORTAL.' }) kind!: string;
  @Field(() => ID, { nullable: true }) membershipId!: string | null;
  @Field(() => Int, { nullable: true }) membershipVersion!: number | null;
  @Field(() => String, { nullable: true }) membershipState!: string | null;
  @Field(() => ID, { nullable: true }) tenantId!: string | null;
  @Field(() => ID, { nullable: true }) customerId!: string | null;
  @Field(() => String, { description: 'Fingerprint of the catalogue the bits count in.' }) catalogue!: string;
  @Field(() => String, { description: 'The permissions, as they travel in the envelope.' }) bits!: string;
  @Field(() => Float, { nullable: true, description: 'Seconds since 1970.' }) strongAt!: number | null;
  @Field(() => [ProofMethodEnum], { description: 'What a strong proof can be given with.' }) proofs!: ProofMethod[];
  @Field(() => [MustDoEnum]) mustDo!: MustDo[];
  @Field(() => String, { nullable: true, description: 'Keyed mark of the mail they have proved, of staff.' })
  provedMail!: string | null;
  @Field(() => Int) generation!: number;
  @Field(() => ID, { nullable: true, description: 'Who acts in this person’s name, where it is an impersonation.' })
  operatorId!: string | null;
  @Field(() => ImpersonationModeEnum, { nullable: true }) mode!: ImpersonationMode | null;
  @Field(() => [String], { description: 'What in the feed changes it beside its own session.' }) hangsOn!: string[];
}

@ObjectType()
@Directive('@inaccessible')
export class GrantFeedPage {
  @Field(() => Int, { description: 'Up to where this page tells.' }) head!: number;
  @Field(() => [String], {
    description: 'What changed: `session:<id>`, `membership:<id>`, `portal:<tenant>`, `key:<id>` and `token_keys:all`.',
  })
  subjects!: string[];
}
