import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { inTenant } from '../licenses/license.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import { revokeLicense } from './revocation.service.ts';

@InputType()
class RevokeLicenseInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@Resolver()
export class RevocationResolver {
  @Mutation(() => LicensePayload, {
    description:
      'Takes a licence for good. The first call only records who asks, and its `change` is null; the same call by another person within 24 hours carries it out.',
  })
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  revokeLicense(@Arg('input', () => RevokeLicenseInput) { tenantId, reason }: RevokeLicenseInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, tenantId, () => revokeLicense(inTenant(ctx, tenantId), reason)));
  }
}
