import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { QuotaPolicy } from '../../../schema/features.ts';
import { DateTime, Decimal, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import { QuotaPolicyEnum } from '../catalogue/plan.entity.ts';
import { EntitlementSourceEnum } from '../terms/entitlement.entity.ts';
import type { EntitlementSource } from '../terms/entitlement.rules.ts';

export const QuotaKindEnum = { GAUGE: 'GAUGE', COUNTER: 'COUNTER' } as const;
registerEnumType(QuotaKindEnum, {
  name: 'QuotaKind',
  description: 'A GAUGE counts what exists now, a COUNTER what was used since its period began.',
});

@ObjectType({ description: 'What a counter goes by once its period has ended, where that is less than now.' })
export class ComingLimit {
  @Field(() => DateTime, { description: 'The end of the period that runs.' }) from!: Date;
  @Field(() => Quantity) limit!: bigint;
  @Field(() => QuotaPolicyEnum) policy!: QuotaPolicy;
  @Field(() => Decimal, { nullable: true, description: 'Price of one unit over the limit.' }) unitRate!: string | null;
}

@ObjectType({ description: 'How much of a quota is allowed and in use, in its base unit.' })
export class QuotaUsage {
  @Field(() => QuotaKeyScalar) key!: string;
  @Field(() => QuotaKindEnum) kind!: 'GAUGE' | 'COUNTER';
  @Field(() => String) baseUnit!: string;
  @Field(() => Boolean) isUnlimited!: boolean;
  @Field(() => Quantity, { nullable: true, description: 'Null when it is unlimited.' }) limit!: bigint | null;
  @Field(() => Quantity) used!: bigint;
  @Field(() => Quantity) topUpRemaining!: bigint;
  @Field(() => QuotaPolicyEnum) policy!: QuotaPolicy;
  @Field(() => Int, { nullable: true, description: 'Of the limit, rounded down.' }) percent!: number | null;
  @Field(() => DateTime, { nullable: true }) periodStart!: Date | null;
  @Field(() => DateTime, { nullable: true }) periodEnd!: Date | null;
  @Field(() => EntitlementSourceEnum) source!: EntitlementSource;
  @Field(() => Quantity, { description: 'What is used over the limit and charged.' }) overage!: bigint;
  @Field(() => Decimal, { nullable: true, description: 'Price of one unit over the limit.' }) unitRate!: string | null;
  @Field(() => ComingLimit, {
    nullable: true,
    description: 'A lower limit that waits for the next period; in the one that runs what is shown beside it holds.',
  })
  next!: ComingLimit | null;
}
