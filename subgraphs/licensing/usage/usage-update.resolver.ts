import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { UsageUpdate } from './usage-update.entity.ts';
import { usageUpdates } from './usage-update.service.ts';

@Resolver()
export class UsageUpdateResolver {
  @Subscription(() => UsageUpdate, {
    description:
      'Limits and use of the caller’s tenant: as they are, then whenever they changed, at most once a second.',
    subscribe: ({ args, context }) => usageUpdates(context as Context, args.keys ?? null) as never,
  })
  @RequiresPermission('licensing.usage.read')
  usageUpdated(
    @Root() update: UsageUpdate,
    @Arg('keys', () => [QuotaKeyScalar], { nullable: true }) _keys: string[] | null,
  ): UsageUpdate {
    return update;
  }
}
