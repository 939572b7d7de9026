import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { OpenDoor } from '../../../schema/directives.ts';
import { Money, money } from '../../../schema/money.ts';
import { FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { AddOn, AddOnLimitNode, type AddOnVersion, type PluginTier, PluginTierEnum } from './add-on.entity.ts';
import { addOnLimitsOf } from './plan.rules.ts';
import { catalogue, listAddOns } from './plan.service.ts';

@Resolver(() => AddOn)
export class AddOnResolver {
  @Query(() => [AddOn], { description: 'The marketplace.' })
  @OpenDoor('The price list is public.')
  addOns(@Arg('ladder', () => PluginTierEnum, { nullable: true }) ladder: PluginTier | null, @Ctx() ctx: Context) {
    return listAddOns(ctx, ladder ?? null);
  }

  @FieldResolver(() => Int)
  async version(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await currentOf(ctx, addOn)).version;
  }

  @FieldResolver(() => Money, { description: 'Per month and piece, net of tax.' })
  async price(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    const { priceMinor, currency } = await currentOf(ctx, addOn);
    return money(priceMinor, currency);
  }

  @FieldResolver(() => Money, { description: 'Once, net of tax.' })
  async setupFee(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    const { setupFeeMinor, currency } = await currentOf(ctx, addOn);
    return money(setupFeeMinor, currency);
  }

  @FieldResolver(() => [FeatureKey])
  async features(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await currentOf(ctx, addOn)).features;
  }

  @FieldResolver(() => [AddOnLimitNode])
  async limits(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return addOnLimitsOf((await currentOf(ctx, addOn)).limits);
  }

  @FieldResolver(() => [FeatureKey], { description: 'Features a licence must hold before it.' })
  async requires(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await currentOf(ctx, addOn)).requires;
  }

  @FieldResolver(() => Int)
  async maxQuantity(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await currentOf(ctx, addOn)).maxQuantity;
  }
}

/** The version for sale now. */
const currentOf = async (ctx: Context, addOn: AddOn) =>
  (await catalogue(ctx)).addOnVersions.get(addOn.id) as AddOnVersion;
