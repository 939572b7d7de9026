import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Internal } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseFeedPage, LicenseView } from './gateway-feed.entity.ts';
import * as service from './gateway-feed.service.ts';

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
}
