import { Arg, Ctx, Field, InputType, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import type { Feature } from '../../../schema/features.ts';
import { payload } from '../../../schema/payload.ts';
import { FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { BillingIntervalEnum } from '../licenses/license.entity.ts';
import { LicenseChangePayload } from '../licenses/license.payload.ts';
import { propagated } from '../licenses/propagation.service.ts';
import type { BillingInterval } from '../terms/license.rules.ts';
import { UpgradeOption } from './upgrade.entity.ts';
import * as service from './upgrade.service.ts';

@InputType()
class UpgradeLicenseInput {
  @Field(() => String, { description: 'Code of a plan.' }) newPlan!: string;
  @Field(() => BillingIntervalEnum, { nullable: true, description: 'As it is, when left out.' })
  interval?: BillingInterval | null;
  @Field(() => String) idempotencyKey!: string;
}

@Resolver()
export class UpgradeResolver {
  @Query(() => [UpgradeOption], { description: 'What would open a feature, cheapest first; empty where it is open.' })
  @RequiresPermission('licensing.license.read')
  upgradeOptions(@Arg('feature', () => FeatureKey) feature: Feature, @Ctx() ctx: Context) {
    return service.upgradeOptions(ctx, feature);
  }

  @Mutation(() => LicenseChangePayload, { description: 'A larger plan, at once and at today’s price.' })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  upgradeLicense(@Arg('input', () => UpgradeLicenseInput) input: UpgradeLicenseInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, ctx.tenantId, () => service.upgradeLicense(ctx, input)));
  }
}
