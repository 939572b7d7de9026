import { Directive, Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { Feature, QuotaKey, ReductionTreatment } from '../../../schema/features.ts';
import { Money } from '../../../schema/money.ts';
import { UserError } from '../../../schema/payload.ts';
import { DateTime, FeatureKey, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import { PlanVersion } from '../catalogue/plan.entity.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import { BillingIntervalEnum } from '../licenses/license.entity.ts';
import { PriceLineNode } from '../licenses/license-change.entity.ts';
import { ChangeDirectionEnum } from '../licenses/planned-change.entity.ts';
import type { ChangeDirection } from './plan-change.rules.ts';

export const ReductionTreatmentEnum = {
  NO_GROWTH: 'NO_GROWTH',
  FREEZE_EXCESS: 'FREEZE_EXCESS',
  NEXT_PERIOD: 'NEXT_PERIOD',
} as const;
registerEnumType(ReductionTreatmentEnum, {
  name: 'ReductionTreatment',
  description:
    'What becomes of use above a lowered limit: NO_GROWTH keeps all working and lets none be added, FREEZE_EXCESS leaves the newest to be read only, NEXT_PERIOD lets the period that runs go on under the former limit.',
});

@ObjectType({ description: 'A feature that a change would shut. Nothing of it is deleted.' })
export class FeatureLoss {
  @Field(() => FeatureKey) feature!: Feature;
  @Field(() => String, { description: 'What would rest: such as "contacts and leads".' }) noun!: string;
}

@ObjectType({ description: 'A limit that a change would lower below what is in use, or let nobody pass any more.' })
export class LimitLoss {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => Quantity, { nullable: true, description: 'Null is unlimited.' }) from!: bigint | null;
  @Field(() => Quantity) to!: bigint;
  @Field(() => Quantity) used!: bigint;
  @Field(() => Quantity, { description: 'What is in use above the new limit.' }) excess!: bigint;
  @Field(() => ReductionTreatmentEnum) treatment!: ReductionTreatment;
}

@ObjectType({
  description: 'What a change would cost and mean. Its hash carries it out, at this price, until it expires.',
})
@Directive('@key(fields: "hash", resolvable: false)')
export class LicenseChangePreview {
  @Field(() => String) hash!: string;
  @Field(() => DateTime) pricedAt!: Date;
  @Field(() => DateTime) expiresAt!: Date;
  @Field(() => Int, { description: 'The version of the licence it is about.' }) licenseVersion!: number;
  @Field(() => ChangeDirectionEnum) direction!: ChangeDirection;
  @Field(() => DateTime, { description: 'When it would hold; with a bill to pay first, when that is paid.' })
  effectiveAt!: Date;
  @Field(() => Boolean) isAwaitingPayment!: boolean;
  @Field(() => PlanVersion) planVersion!: PlanVersion;
  @Field(() => BillingIntervalEnum) interval!: BillingInterval;
  @Field(() => [PriceLineNode], { description: 'Net of tax; below zero is given back.' }) lines!: PriceLineNode[];
  @Field(() => Money, { description: 'The sum of the lines.' }) net!: Money;
  @Field(() => [FeatureLoss]) endedFeatures!: FeatureLoss[];
  @Field(() => [LimitLoss]) reducedLimits!: LimitLoss[];
  @Field(() => [UserError], { description: 'Why it cannot be carried out now; empty where it can.' })
  refusals!: UserError[];
}
