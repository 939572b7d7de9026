import { Arg, Ctx, Field, InputType, Mutation, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import type { Feature } from '../../../schema/features.ts';
import { payload } from '../../../schema/payload.ts';
import { FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicensePayload } from '../licenses/license.payload.ts';
import { propagated } from '../licenses/propagation.service.ts';
import * as service from './feature-trial.service.ts';

@InputType()
class StartFeatureTrialInput {
  @Field(() => FeatureKey) feature!: Feature;
}

@Resolver()
export class FeatureTrialResolver {
  @Mutation(() => LicensePayload, {
    description: 'Opens a feature for 14 days, to try it; once in 365 days for each feature.',
  })
  @RequiresPermission('licensing.license.change')
  @Continuity()
  startFeatureTrial(@Arg('input', () => StartFeatureTrialInput) input: StartFeatureTrialInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, ctx.tenantId, () => service.startFeatureTrial(ctx, input.feature)));
  }
}
