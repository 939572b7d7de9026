import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { QuotaKey } from '../../../schema/features.ts';
import { UserError } from '../../../schema/payload.ts';
import { DateTime, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';

@InputType()
export class ConsumeUsageInput {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => Quantity, { description: 'In the base unit of the quota, from 1.' }) amount!: bigint;
  @Field(() => String, { description: 'It counts once; asked again, the first answer comes back.' })
  idempotencyKey!: string;
}

@InputType()
export class ReleaseUsageInput {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => Quantity, { description: 'At most what was taken through these doors and is not given back.' })
  amount!: bigint;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
export class UsageEventInput {
  @Field(() => String, { description: 'The sender’s own name for it: it counts once, however often it is sent.' })
  eventId!: string;
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => Quantity) amount!: bigint;
  @Field(() => DateTime, { description: 'Up to 7 days ago; it counts in the period that runs when it arrives.' })
  occurredAt!: Date;
}

@InputType()
export class RecordUsageEventsInput {
  @Field(() => String, { nullable: true, description: 'The sender’s own name for the batch; it comes back.' })
  envelope?: string | null;
  @Field(() => [UsageEventInput], { description: 'At most 500.' }) events!: UsageEventInput[];
}

@ObjectType()
export class UsagePayload {
  key?: QuotaKey;
  @Field(() => Quantity, {
    nullable: true,
    description: 'What was in use when it was counted; the same again for the same key.',
  })
  used?: bigint | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

export const UsageEventOutcomeEnum = {
  COUNTED: 'COUNTED',
  REPEATED: 'REPEATED',
  INVALID: 'INVALID',
  IDEMPOTENCY_MISMATCH: 'IDEMPOTENCY_MISMATCH',
  QUOTA_EXCEEDED: 'QUOTA_EXCEEDED',
} as const;
export type UsageEventOutcome = keyof typeof UsageEventOutcomeEnum;
registerEnumType(UsageEventOutcomeEnum, {
  name: 'UsageEventOutcome',
  description: 'REPEATED has counted before; the last three have not counted.',
});

@ObjectType()
export class UsageEventResult {
  @Field(() => String) eventId!: string;
  @Field(() => UsageEventOutcomeEnum) outcome!: UsageEventOutcome;
  @Field(() => String, { nullable: true, description: 'Why it did not count.' }) message!: string | null;
}

@ObjectType()
export class UsageEventsPayload {
  @Field(() => String, { nullable: true }) envelope?: string | null;
  @Field(() => [UsageEventResult], { nullable: true, description: 'One for each event, in their order.' })
  results?: UsageEventResult[] | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}
