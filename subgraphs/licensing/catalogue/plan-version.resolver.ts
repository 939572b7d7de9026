import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import type { Feature, QuotaKey, QuotaPolicy } from '../../../schema/features.ts';
import { Money, MoneyInput, money } from '../../../schema/money.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { Decimal, FeatureKey, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Plan, PlanLimitNode, PlanVersion, QuotaPolicyEnum } from './plan.entity.ts';
import { planLimitsOf } from './plan.rules.ts';
import { catalogue } from './plan.service.ts';
import * as service from './plan-version.service.ts';

const PlanVersionPayload = payloadOf('PlanVersionPayload', 'planVersion', () => PlanVersion);

@InputType({ description: 'How much of a quota a plan allows: a limit in its base unit, or none.' })
class PlanLimitInput {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => Quantity, { nullable: true }) limit?: bigint | null;
  @Field(() => Boolean, { defaultValue: false }) isUnlimited!: boolean;
  @Field(() => QuotaPolicyEnum, { defaultValue: 'HARD' }) policy!: QuotaPolicy;
  @Field(() => Int, { defaultValue: 0, description: '0 to 50.' }) softMarginPercent!: number;
  @Field(() => Decimal, { nullable: true, description: 'Price of one unit over the limit; at most 6 decimal places.' })
  unitRate?: string | null;
  @Field(() => Quantity, { nullable: true, description: 'The most that may be used over the limit and charged.' })
  overageCap?: bigint | null;
}

@InputType()
class DraftPlanVersionInput {
  @Field(() => ID, { nullable: true, description: 'A draft to write anew; left out, the next version is drafted.' })
  id?: string | null;
  @Field(() => String, { description: 'Code of the plan.' }) plan!: string;
  @Field(() => MoneyInput, { description: 'Per month, net of tax, in USD.' }) price!: MoneyInput;
  @Field(() => Decimal, { defaultValue: '0', description: '0 to 100, off 12 monthly prices paid at once.' })
  annualDiscountPercent!: string;
  @Field(() => Int, { description: '0 to 90.' }) trialDays!: number;
  @Field(() => Int, { defaultValue: 7, description: '0 to 30.' }) graceDays!: number;
  @Field(() => Int, { defaultValue: 14, description: '0 to 60.' }) restrictedDays!: number;
  @Field(() => [FeatureKey]) features!: Feature[];
  @Field(() => [PlanLimitInput], { description: 'A quota that is left out is 0.' }) limits!: PlanLimitInput[];
}

@InputType()
class PublishPlanVersionInput {
  @Field(() => ID) id!: string;
}

@InputType()
class RetirePlanVersionInput {
  @Field(() => ID) id!: string;
}

@Resolver(() => PlanVersion)
export class PlanVersionResolver {
  @FieldResolver(() => Plan)
  async plan(@Root() version: PlanVersion, @Ctx() ctx: Context) {
    return (await catalogue(ctx)).plans.find((plan) => plan.id === version.planId);
  }

  @FieldResolver(() => Money, { description: 'Per month, net of tax.' })
  price(@Root() version: PlanVersion) {
    return money(version.priceMinor, version.currency);
  }

  @FieldResolver(() => [PlanLimitNode])
  limits(@Root() version: PlanVersion) {
    return planLimitsOf(version.limits);
  }

  @Mutation(() => PlanVersionPayload, { description: 'Writes the next version of a plan; nobody buys it yet.' })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  draftPlanVersion(@Arg('input', () => DraftPlanVersionInput) input: DraftPlanVersionInput, @Ctx() ctx: Context) {
    return payload(async () => ({ planVersion: await service.draftPlanVersion(ctx, input) }));
  }

  @Mutation(() => PlanVersionPayload, { description: 'Puts a draft up for sale. Holders of the former keep it.' })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  publishPlanVersion(
    @Arg('input', () => PublishPlanVersionInput) { id }: PublishPlanVersionInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => ({ planVersion: await service.publishPlanVersion(ctx, id) }));
  }

  @Mutation(() => PlanVersionPayload, { description: 'Takes a version off sale. Its holders keep it.' })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  retirePlanVersion(@Arg('input', () => RetirePlanVersionInput) { id }: RetirePlanVersionInput, @Ctx() ctx: Context) {
    return payload(async () => ({ planVersion: await service.retirePlanVersion(ctx, id) }));
  }
}
