import { Arg, Ctx, Field, ID, InputType, Int, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import type { QuotaPolicy } from '../../../schema/features.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime, Decimal, Quantity } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { QuotaPolicyEnum } from '../catalogue/plan.entity.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { inTenant } from '../licenses/license.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import * as service from './override.service.ts';

@InputType({ description: 'An exception; what is left out inherits. It replaces one that stands for the same key.' })
class SetOverrideInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { description: 'A feature or a quota.' }) key!: string;
  @Field(() => Boolean, { nullable: true, description: 'For a feature.' }) isEnabled?: boolean | null;
  @Field(() => Quantity, { nullable: true, description: 'In the base unit of the quota.' }) limit?: bigint | null;
  @Field(() => Boolean, { nullable: true }) isUnlimited?: boolean | null;
  @Field(() => QuotaPolicyEnum, { nullable: true }) policy?: QuotaPolicy | null;
  @Field(() => Int, { nullable: true, description: '0 to 50.' }) softMarginPercent?: number | null;
  @Field(() => Decimal, { nullable: true }) unitRate?: string | null;
  @Field(() => DateTime, { nullable: true }) expiresAt?: Date | null;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@InputType()
class RemoveOverrideInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String) key!: string;
  @Field(() => String) reason!: string;
}

@Resolver()
export class OverrideResolver {
  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  setOverride(@Arg('input', () => SetOverrideInput) { tenantId, ...terms }: SetOverrideInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, tenantId, () => service.setOverride(inTenant(ctx, tenantId), terms)));
  }

  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  removeOverride(@Arg('input', () => RemoveOverrideInput) input: RemoveOverrideInput, @Ctx() ctx: Context) {
    const { tenantId, key, reason } = input;
    return payload(() => propagated(ctx, tenantId, () => service.removeOverride(inTenant(ctx, tenantId), key, reason)));
  }
}
