import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Internal, RequiresPermission } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseFeedPage, LicenseView, PropagationStats } from './gateway-feed.entity.ts';
import * as service from './gateway-feed.service.ts';
import { licensePropagation } from './propagation-stats.service.ts';

@Resolver()
export class GatewayFeedResolver {
  @Query(() => [LicenseView])
  @Internal()
  licenseViews(@Arg('tenantIds', () => [ID]) tenantIds: string[], @Ctx() ctx: Context) {
    return service.licenseViews(ctx, tenantIds);
  }

  @Query(() => LicenseFeedPage)
  @Internal()
  licenseFeed(
    @Arg('afterSeq', () => Int) afterSeq: number,
    @Arg('first', () => Int, { defaultValue: 500 }) first: number,
    @Ctx() ctx: Context,
  ) {
    return service.licenseFeed(ctx, afterSeq, first);
  }

  @Query(() => String, {
    description: 'JSON {features: {key: {requiredPlan, addOns}}, quotas: {key: {plan: the next larger one or null}}}.',
  })
  @Internal()
  offers(@Ctx() ctx: Context) {
    return service.offers(ctx);
  }

  @Mutation(() => Boolean)
  @Internal()
  confirmLicenses(
    @Arg('nodeId', () => String) nodeId: string,
    @Arg('seq', () => Int) seq: number,
    @Ctx() ctx: Context,
  ) {
    return service.confirmLicenses(ctx, nodeId, seq);
  }

  @Query(() => PropagationStats, { description: 'How fast changes of licences reach the gateways.' })
  @RequiresPermission('licensing.fleet.read')
  licensePropagation(
    @Arg('minutes', () => Int, { defaultValue: 60, description: '1 to 10,080.' }) minutes: number,
    @Ctx() ctx: Context,
  ) {
    return licensePropagation(ctx, minutes);
  }
}
