import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import type { Feature, QuotaKey } from '../../../schema/features.ts';
import { Money, MoneyInput, money } from '../../../schema/money.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { Decimal, FeatureKey, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import {
  AddOn,
  AddOnLimitNode,
  AddOnMeter,
  type AddOnVersion,
  LimitModeEnum,
  type PluginTier,
  PluginTierEnum,
} from './add-on.entity.ts';
import * as service from './add-on.service.ts';
import { addOnLimitsOf, type LimitMode } from './plan.rules.ts';
import { catalogue, listAddOns } from './plan.service.ts';

const AddOnPayload = payloadOf('AddOnPayload', 'addOn', () => AddOn);

@InputType({ description: 'What a piece does to a quota: an amount in its base unit, or no end.' })
class AddOnLimitInput {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => LimitModeEnum, { defaultValue: 'ADD' }) mode!: LimitMode;
  @Field(() => Quantity, { nullable: true }) amount?: bigint | null;
  @Field(() => Boolean, { defaultValue: false }) isUnlimited!: boolean;
}

@InputType()
class AddOnMeterInput {
  @Field(() => QuotaKeyScalar) quota!: QuotaKey;
  @Field(() => Decimal, { description: 'At most 6 decimal places.' }) unitRate!: string;
}

@InputType()
class PublishAddOnInput {
  @Field(() => String, { description: 'Of a new add-on, or of the one whose next version this is.' }) code!: string;
  @Field(() => String, { description: 'At most 60 characters.' }) name!: string;
  @Field(() => PluginTierEnum) ladder!: PluginTier;
  @Field(() => MoneyInput, { description: 'Per month and piece, net of tax, in USD.' }) price!: MoneyInput;
  @Field(() => MoneyInput, { nullable: true, description: 'Once.' }) setupFee?: MoneyInput | null;
  @Field(() => [FeatureKey], { defaultValue: [] }) features!: Feature[];
  @Field(() => [AddOnLimitInput], { defaultValue: [] }) limits!: AddOnLimitInput[];
  @Field(() => [FeatureKey], { defaultValue: [] }) requires!: Feature[];
  @Field(() => Int, { defaultValue: 1, description: '1 to 1,000.' }) maxQuantity!: number;
  @Field(() => AddOnMeterInput, { nullable: true }) meter?: AddOnMeterInput | null;
}

@InputType()
class RetireAddOnInput {
  @Field(() => ID) id!: string;
}

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

  @FieldResolver(() => AddOnMeter, { nullable: true })
  async meter(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await currentOf(ctx, addOn)).meter;
  }

  @FieldResolver(() => Boolean, { description: 'Whether it is on the marketplace now.' })
  async isForSale(@Root() addOn: AddOn, @Ctx() ctx: Context) {
    return (await catalogue(ctx)).addOnVersions.has(addOn.id);
  }

  @Mutation(() => AddOnPayload, {
    description: 'A new add-on, or the next version of one. Holders of the former keep it.',
  })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  publishAddOn(@Arg('input', () => PublishAddOnInput) input: PublishAddOnInput, @Ctx() ctx: Context) {
    return payload(async () => ({ addOn: await service.publishAddOn(ctx, input) }));
  }

  @Mutation(() => AddOnPayload, { description: 'Takes an add-on off the marketplace. Its holders keep it.' })
  @RequiresPermission('licensing.catalog.manage')
  @Continuity()
  retireAddOn(@Arg('input', () => RetireAddOnInput) { id }: RetireAddOnInput, @Ctx() ctx: Context) {
    return payload(async () => ({ addOn: await service.retireAddOn(ctx, id) }));
  }
}

/** The version for sale now, or the last that was. */
const currentOf = async (ctx: Context, addOn: AddOn) =>
  (await catalogue(ctx)).lastAddOnVersions.get(addOn.id) as AddOnVersion;
