import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../schema/directives.ts';
import { payload } from '../../schema/payload.ts';
import type { Context } from '../_kernel/context.ts';
import { type HoldKind, HoldKindEnum, HoldLevelEnum } from './hold.entity.ts';
import * as service from './hold.service.ts';
import { LicensePayload } from './license.payload.ts';
import type { HoldLevel } from './license.rules.ts';
import { inTenant } from './license.service.ts';
import { propagated } from './propagation.service.ts';

@InputType()
class PlaceLicenseHoldInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => HoldKindEnum) kind!: HoldKind;
  @Field(() => HoldLevelEnum) level!: HoldLevel;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@InputType()
class LiftLicenseHoldInput {
  @Field(() => ID) id!: string;
  @Field(() => String) reason!: string;
}

@Resolver()
export class HoldResolver {
  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  placeLicenseHold(
    @Arg('input', () => PlaceLicenseHoldInput) { tenantId, ...wanted }: PlaceLicenseHoldInput,
    @Ctx() ctx: Context,
  ) {
    return payload(() => propagated(ctx, tenantId, () => service.placeLicenseHold(inTenant(ctx, tenantId), wanted)));
  }

  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  liftLicenseHold(@Arg('input', () => LiftLicenseHoldInput) { id, reason }: LiftLicenseHoldInput, @Ctx() ctx: Context) {
    return payload(async () => {
      const tenantId = await service.tenantOfHold(ctx, id);
      return propagated(ctx, tenantId, () => service.liftLicenseHold(inTenant(ctx, tenantId), id, reason));
    });
  }
}
