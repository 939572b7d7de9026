import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import type { Feature } from '../../../schema/features.ts';
import { FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { UpgradeOption } from './upgrade-option.entity.ts';
import { upgradeOptions } from './upgrade-option.service.ts';

@Resolver()
export class UpgradeOptionResolver {
  @Query(() => [UpgradeOption], { description: 'What would open a feature, cheapest first; empty where it is open.' })
  @RequiresPermission('licensing.license.read')
  upgradeOptions(@Arg('feature', () => FeatureKey) feature: Feature, @Ctx() ctx: Context) {
    return upgradeOptions(ctx, feature);
  }
}
