import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { ListSize, RequiresPermission } from '../../../schema/directives.ts';
import { LocalDate, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { UsageDay } from './usage-day.entity.ts';
import { usageHistory } from './usage-day.service.ts';

@Resolver()
export class UsageDayResolver {
  @Query(() => [UsageDay], { description: 'Closed days of a quota, from the first to the last; at most 400.' })
  @RequiresPermission('licensing.usage.read')
  @ListSize(31)
  usageHistory(
    @Arg('key', () => QuotaKeyScalar) key: string,
    @Arg('from', () => LocalDate) from: string,
    @Arg('to', () => LocalDate) to: string,
    @Ctx() ctx: Context,
  ) {
    return usageHistory(ctx, key, from, to);
  }
}
