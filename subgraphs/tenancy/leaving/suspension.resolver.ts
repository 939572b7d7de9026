import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Suspension, SuspensionReasonEnum, Tenant } from '../tenant.entity.ts';
import { TenantInput, TenantPayload } from '../tenant.payload.ts';
import type { SuspensionReason } from '../tenant.rules.ts';
import * as service from './suspension.service.ts';

@InputType()
class SuspendTenantInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => SuspensionReasonEnum, { nullable: true, description: 'It must be given.' })
  reason?: SuspensionReason | null;
  @Field(() => String, { nullable: true, description: 'At most 500 characters.' }) note?: string | null;
  @Field(() => Boolean, {
    defaultValue: false,
    description: "Cut its subscribers' service at once: for ABUSE, LEGAL or SECURITY only.",
  })
  cutService!: boolean;
  @Field(() => Int, {
    nullable: true,
    description: "For so many days its subscribers' service goes on: 0 to 90; 30 when left out.",
  })
  continuityDays?: number | null;
}

@Resolver(() => Tenant)
export class SuspensionResolver {
  @FieldResolver(() => Suspension, { nullable: true })
  suspension(@Root() tenant: Tenant): Suspension | null {
    if (!tenant.suspendedAt || !tenant.suspensionReason) return null;
    return {
      reason: tenant.suspensionReason,
      note: tenant.suspensionNote ?? null,
      since: tenant.suspendedAt,
      cutService: tenant.cutService,
      continuityUntil: tenant.continuityUntil ?? null,
    };
  }

  @Mutation(() => TenantPayload, { description: 'Its people are refused within a second; nothing is deleted.' })
  @RequiresPermission('tenancy.tenant.suspend')
  @Continuity()
  suspendTenant(
    @Arg('input', () => SuspendTenantInput) { tenantId, ...asked }: SuspendTenantInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => ({ tenant: await service.suspendTenant(ctx, tenantId, asked) }));
  }

  @Mutation(() => TenantPayload, { description: 'Lifts a suspension: everything is as it was.' })
  @RequiresPermission('tenancy.tenant.suspend')
  @Continuity()
  reactivateTenant(@Arg('input', () => TenantInput) { tenantId }: TenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await service.reactivateTenant(ctx, tenantId) }));
  }
}
