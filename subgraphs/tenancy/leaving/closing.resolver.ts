import { Arg, Ctx, Field, ID, InputType, Int, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission, RequiresStrongProof, WhileClosing } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { TenantInput, TenantPayload } from '../tenant.payload.ts';
import * as service from './closing.service.ts';

@InputType()
class CloseTenantInput {
  @Field(() => ID, { nullable: true, description: "Left out, the caller's own; another only for the platform." })
  tenantId?: string | null;
  @Field(() => String, { description: 'Its short name, typed again.' }) confirmSlug!: string;
  @Field(() => Int, { nullable: true, description: 'After so many days it may be deleted: 7 to 90; 30 when left out.' })
  days?: number | null;
  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether it may be deleted without an export of its data.',
  })
  waivesExport!: boolean;
}

@Resolver()
export class ClosingResolver {
  @Mutation(() => TenantPayload, {
    description: 'Leaves the platform: from now on the tenant can only be read and exported.',
  })
  @RequiresPermission('tenancy.tenant.close')
  @Continuity()
  @RequiresStrongProof()
  closeTenant(@Arg('input', () => CloseTenantInput) input: CloseTenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await service.closeTenant(ctx, input) }));
  }

  @Mutation(() => TenantPayload, { description: 'Takes a closing back, before the day it may be deleted.' })
  @RequiresPermission('tenancy.tenant.close')
  @Continuity()
  @WhileClosing()
  reopenTenant(@Arg('input', () => TenantInput) { tenantId }: TenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await service.reopenTenant(ctx, tenantId) }));
  }
}
