import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Propagation } from '../gateways/gateway-feed.entity.ts';
import { License } from '../licenses/license.entity.ts';
import { inTenant } from '../licenses/license.service.ts';
import { refreshLicense } from '../licenses/license-change.service.ts';
import { propagated } from '../licenses/propagation.service.ts';

@InputType()
class RefreshLicenseInput {
  @Field(() => ID) tenantId!: string;
}

@ObjectType()
class RefreshLicensePayload {
  @Field(() => License, { nullable: true }) license?: License | null;
  @Field(() => Propagation, { nullable: true }) propagation?: Propagation | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@Resolver()
export class RefreshResolver {
  @Mutation(() => RefreshLicensePayload, {
    description: 'Builds all copies of a licence anew and sends them out. The version stays if nothing changed.',
  })
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  refreshLicense(@Arg('input', () => RefreshLicenseInput) { tenantId }: RefreshLicenseInput, @Ctx() ctx: Context) {
    return payload(() => propagated(ctx, tenantId, () => refreshLicense(inTenant(ctx, tenantId))));
  }
}
