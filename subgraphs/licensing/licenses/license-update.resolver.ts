import { Arg, Ctx, FieldResolver, Int, Resolver, Root, Subscription } from 'type-graphql';
import { SignedIn } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { License } from './license.entity.ts';
import { ownLicense } from './license.service.ts';
import { LicenseUpdate } from './license-update.entity.ts';
import { licenseUpdates } from './license-update.service.ts';

@Resolver(() => LicenseUpdate)
export class LicenseUpdateResolver {
  @Subscription(() => LicenseUpdate, {
    description:
      'The licence of the caller’s tenant: as it is, or with `after` what has changed since that version; then each change.',
    subscribe: ({ args, context }) => licenseUpdates(context as Context, args.after ?? null) as never,
  })
  @SignedIn()
  licenseUpdated(
    @Root() update: LicenseUpdate,
    @Arg('after', () => Int, { nullable: true, description: 'The version the client holds.' }) _after: number | null,
  ): LicenseUpdate {
    return update;
  }

  @FieldResolver(() => License, { nullable: true, description: 'The licence as it is now.' })
  license(@Ctx() ctx: Context) {
    return ownLicense(ctx);
  }
}
