import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { inTenant } from '../licenses/license.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import { type HoldKind, HoldKindEnum, HoldLevelEnum } from '../terms/hold.entity.ts';
import type { HoldLevel } from '../terms/license.rules.ts';
import * as service from './hold.service.ts';

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
