import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { QuotaUsage } from './quota-usage.entity.ts';
import { quotaUsage } from './quota-usage.service.ts';

@Resolver()
export class QuotaUsageResolver {
  @Query(() => [QuotaUsage], { description: 'Limits and use of the caller’s tenant.' })
  @RequiresPermission('licensing.usage.read')
  quotaUsage(@Arg('keys', () => [QuotaKeyScalar], { nullable: true }) keys: string[] | null, @Ctx() ctx: Context) {
    return quotaUsage(ctx, ctx.tenantId, keys ?? null);
  }
}
