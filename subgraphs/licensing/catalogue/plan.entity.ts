import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { QuotaPolicy } from '../../../schema/features.ts';
import { Decimal, FeatureKey, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { StoredLimit } from './plan.rules.ts';
import type { VersionStatus } from './version.rules.ts';

export const VersionStatusEnum = { DRAFT: 'DRAFT', PUBLISHED: 'PUBLISHED', RETIRED: 'RETIRED' } as const;
export const QuotaPolicyEnum = { HARD: 'HARD', SOFT: 'SOFT', OVERAGE: 'OVERAGE' } as const;
registerEnumType(VersionStatusEnum, {
  name: 'PlanVersionStatus',
  description: 'A published version never changes; a retired one stays valid for who holds it.',
});
registerEnumType(QuotaPolicyEnum, {
  name: 'QuotaPolicy',
  description: 'What happens at the limit: HARD refuses, SOFT allows a margin, OVERAGE allows and charges.',
});

@ObjectType({ description: 'A set of features and limits that an Internet Service Provider licenses.' })
@Directive('@key(fields: "id")')
@Directive('@key(fields: "code")')
@Entity({ schema: 'licensing', tableName: 'plan' })
export class Plan {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String) @Property({ type: 'string' }) code!: string;
  @Field(() => String) @Property({ type: 'string' }) name!: string;
  @Field(() => Boolean, { description: 'Whether it is offered to everybody.' })
  @Property({ type: 'boolean' })
  isListed!: boolean;
  @Property({ type: 'boolean' }) isEndless!: boolean;
}

@ObjectType({ description: 'Price and contents of a plan. Who holds a version keeps both until a change is ordered.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'licensing', tableName: 'plan_version' })
export class PlanVersion {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) planId!: string;
  @Field(() => Int) @Property({ type: 'integer' }) number!: number;
  @Field(() => VersionStatusEnum) @Property({ type: 'string' }) status!: VersionStatus;
  @Property({ type: 'bigint' }) priceMinor!: bigint; // shown as price: Money!
  @Property({ type: 'string' }) currency!: string;
  @Field(() => Decimal, { description: 'Taken off 12 monthly prices when a year is paid at once.' })
  @Property({ type: 'decimal' })
  annualDiscountPercent!: string;
  @Field(() => Int) @Property({ type: 'integer' }) trialDays!: number;
  @Field(() => Int, { description: 'Days after the paid time in which everything works on.' })
  @Property({ type: 'integer' })
  graceDays!: number;
  @Field(() => Int, { description: 'Days of reading only that follow.' })
  @Property({ type: 'integer' })
  restrictedDays!: number;
  @Field(() => [FeatureKey]) @Property({ type: 'array' }) features!: string[];
  @Property({ type: 'json' }) limits!: StoredLimit[]; // shown as limits: [PlanLimit!]!
}

@ObjectType('PlanLimit', { description: 'How much of a quota a plan allows.' })
export class PlanLimitNode {
  @Field(() => QuotaKeyScalar) key!: string;
  @Field(() => Quantity, { nullable: true, description: 'In the base unit of the quota; null is unlimited.' })
  limit!: bigint | null;
  @Field(() => QuotaPolicyEnum) policy!: QuotaPolicy;
  @Field(() => Int) softMarginPercent!: number;
  @Field(() => Decimal, { nullable: true, description: 'Price of one unit over the limit.' }) unitRate!: string | null;
  @Field(() => Quantity, { nullable: true }) overageCap!: bigint | null;
}
