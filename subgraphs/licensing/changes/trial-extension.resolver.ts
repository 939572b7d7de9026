import { Arg, Ctx, Field, ID, InputType, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { inTenant } from '../licenses/license.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import * as service from './trial-extension.service.ts';

@InputType()
class ExtendTrialInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => DateTime, { description: 'The new end, at most 90 days ahead.' }) until!: Date;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@Resolver()
export class TrialExtensionResolver {
  @Mutation(() => LicensePayload)
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  extendTrial(@Arg('input', () => ExtendTrialInput) input: ExtendTrialInput, @Ctx() ctx: Context) {
    const { tenantId, until, reason } = input;
    return payload(() => propagated(ctx, tenantId, () => service.extendTrial(inTenant(ctx, tenantId), until, reason)));
  }
}
