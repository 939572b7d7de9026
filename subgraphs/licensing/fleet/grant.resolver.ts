import { Arg, Ctx, Field, ID, InputType, Int, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime, Quantity } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { inTenant } from '../licenses/license.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import type { GrantSource } from '../terms/entitlement.rules.ts';
import { type GrantKind, GrantKindEnum, GrantSourceEnum } from '../terms/grant.entity.ts';
import * as service from './grant.service.ts';
import { tenantOfStanding } from './standing-place.service.ts';

@InputType({ description: 'A feature for a while, or an allowance on top of a counter.' })
class GrantEntitlementInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => GrantKindEnum) kind!: GrantKind;
  @Field(() => String, { description: 'A feature, or for a TOP_UP the quota of a counter.' }) key!: string;
  @Field(() => Quantity, { nullable: true, description: 'Of a TOP_UP, from 1, in the base unit.' })
  amount?: bigint | null;
  @Field(() => Int, { nullable: true, description: 'Of a TOP_UP, 0 to 100: the lower burns first. Else 50.' })
  priority?: number | null;
  @Field(() => DateTime, { nullable: true, description: 'Else at once.' }) startsAt?: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'Else it does not end.' }) expiresAt?: Date | null;
  @Field(() => GrantSourceEnum) source!: GrantSource;
  @Field(() => Quantity, { nullable: true, description: 'Of a TOP_UP: how much of it outlives a period at most.' })
  rolloverMax?: bigint | null;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class EndGrantInput {
  @Field(() => ID) id!: string;
  @Field(() => String) reason!: string;
}

@Resolver()
export class GrantResolver {
  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  grantEntitlement(
    @Arg('input', () => GrantEntitlementInput) { tenantId, ...wanted }: GrantEntitlementInput,
    @Ctx() ctx: Context,
  ) {
    return payload(() => propagated(ctx, tenantId, () => service.grantEntitlement(inTenant(ctx, tenantId), wanted)));
  }

  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  endGrant(@Arg('input', () => EndGrantInput) { id, reason }: EndGrantInput, @Ctx() ctx: Context) {
    return payload(async () => {
      const tenantId = await tenantOfStanding(ctx, 'grant', id);
      if (!tenantId) throw service.noSuchGrant();
      return propagated(ctx, tenantId, () => service.endGrant(inTenant(ctx, tenantId), id, reason));
    });
  }
}
