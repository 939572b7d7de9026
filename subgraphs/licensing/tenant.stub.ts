import { Arg, Ctx, Directive, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql';
import { RequiresPermission, SignedIn } from '../../schema/directives.ts';
import { QuotaKeyScalar } from '../../schema/scalars.ts';
import type { Context } from '../_kernel/context.ts';
import { License } from './licenses/license.entity.ts';
import { tenantLicense } from './licenses/license.service.ts';
import { QuotaUsage } from './usage/quota-usage.entity.ts';
import { quotaUsage } from './usage/quota-usage.service.ts';

/** A tenant is owned by tenancy; here it gets its licence. */
@ObjectType('Tenant')
@Directive('@key(fields: "id")')
export class Tenant {
  @Field(() => ID) id!: string;
}

@Resolver(() => Tenant)
export class TenantStubResolver {
  @FieldResolver(() => License, { nullable: true })
  @SignedIn()
  license(@Root() tenant: Tenant, @Ctx() ctx: Context) {
    return tenantLicense(ctx, tenant.id);
  }

  @FieldResolver(() => [QuotaUsage])
  @RequiresPermission('licensing.usage.read')
  quotaUsage(
    @Arg('keys', () => [QuotaKeyScalar], { nullable: true }) keys: string[] | null,
    @Root() tenant: Tenant,
    @Ctx() ctx: Context,
  ) {
    return quotaUsage(ctx, tenant.id, keys ?? null);
  }
}
