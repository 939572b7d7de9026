import { Arg, Ctx, Field, ID, InputType, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import type { QuotaKey } from '../../../schema/features.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import { BillingIntervalEnum } from '../licenses/license.entity.ts';
import { LicenseChangePayload, LicensePayload } from '../licenses/license.payload.ts';
import { propagated } from '../licenses/propagation.service.ts';
import { LicenseChangePreview } from './change-preview.entity.ts';
import { previewLicenseChange } from './change-preview.service.ts';
import * as service from './plan-change.service.ts';
import { setAutoRenew } from './renewal.service.ts';

@InputType()
class AddOnQuantityInput {
  @Field(() => String) code!: string;
  @Field(() => Int, { defaultValue: 1 }) quantity!: number;
}

@InputType({ description: 'What shall stay where a lowered limit freezes the rest.' })
class KeepInput {
  @Field(() => QuotaKeyScalar) key!: QuotaKey;
  @Field(() => [ID]) ids!: string[];
}

@InputType({ description: 'The end state that is wanted; what is left out stays as it is.' })
class LicenseChangeInput {
  @Field(() => String, { nullable: true, description: 'Code of a plan.' }) plan?: string | null;
  @Field(() => BillingIntervalEnum, { nullable: true }) interval?: BillingInterval | null;
  @Field(() => [AddOnQuantityInput], { nullable: true, description: 'All that shall be held, not only what is new.' })
  addOns?: AddOnQuantityInput[] | null;
  @Field(() => [KeepInput], { nullable: true }) keep?: KeepInput[] | null;
  @Field(() => Boolean, { nullable: true, description: 'End the trial with the payment instead of using it up.' })
  endTrial?: boolean | null;
}

@InputType()
class UpgradeLicenseInput {
  @Field(() => String, { description: 'Code of a plan.' }) newPlan!: string;
  @Field(() => BillingIntervalEnum, { nullable: true, description: 'As it is, when left out.' })
  interval?: BillingInterval | null;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class CommitLicenseChangeInput {
  @Field(() => LicenseChangeInput) change!: LicenseChangeInput;
  @Field(() => DateTime, { description: '`pricedAt` of the preview.' }) pricedAt!: Date;
  @Field(() => String, { description: '`hash` of the preview.' }) previewHash!: string;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class CancelScheduledChangeInput {
  @Field(() => ID) changeId!: string;
}

@InputType()
class SetAutoRenewInput {
  @Field(() => Boolean) autoRenew!: boolean;
}

@Resolver()
export class PlanChangeResolver {
  @Query(() => LicenseChangePreview, {
    description: 'What a change would cost and mean. Nothing is changed by asking.',
  })
  @RequiresPermission('licensing.license.change')
  previewLicenseChange(@Arg('input', () => LicenseChangeInput) input: LicenseChangeInput, @Ctx() ctx: Context) {
    return previewLicenseChange(ctx, input);
  }

  @Mutation(() => LicenseChangePayload, { description: 'Carries out a change at the price its preview showed.' })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  changeLicense(@Arg('input', () => CommitLicenseChangeInput) input: CommitLicenseChangeInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, ctx.tenantId, () => service.changeLicense(ctx, input)));
  }

  @Mutation(() => LicenseChangePayload, {
    description: 'A larger plan at today’s price: at once, or where a bill is overdue when it is paid.',
  })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  upgradeLicense(@Arg('input', () => UpgradeLicenseInput) input: UpgradeLicenseInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, ctx.tenantId, () => service.upgradeLicense(ctx, input)));
  }

  @Mutation(() => LicensePayload, { description: 'Takes back a change that waits.' })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  cancelScheduledChange(
    @Arg('input', () => CancelScheduledChangeInput) { changeId }: CancelScheduledChangeInput,
    @Ctx() ctx: Context,
  ) {
    return payload(() => propagated(ctx, ctx.tenantId, () => service.cancelScheduledChange(ctx, changeId)));
  }

  @Mutation(() => LicensePayload, { description: 'Whether the licence goes on after its paid time.' })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  setAutoRenew(@Arg('input', () => SetAutoRenewInput) { autoRenew }: SetAutoRenewInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, ctx.tenantId, () => setAutoRenew(ctx, autoRenew)));
  }
}
