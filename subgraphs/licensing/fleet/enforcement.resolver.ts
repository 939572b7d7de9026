import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Propagation } from '../gateways/gateway-feed.entity.ts';
import { EnforcementEnum, License } from '../licenses/license.entity.ts';
import { LicenseChange } from '../licenses/license-change.entity.ts';
import type { Enforcement } from '../terms/license.rules.ts';
import * as service from './enforcement.service.ts';

@InputType({ description: 'Either some tenants, or all.' })
class SetEnforcementInput {
  @Field(() => [ID], { nullable: true, description: 'At most 100.' }) tenantIds?: string[] | null;
  @Field(() => Boolean, { defaultValue: false }) all!: boolean;
  @Field(() => EnforcementEnum) mode!: Enforcement;
  @Field(() => DateTime, {
    nullable: true,
    description: 'For OBSERVE: at most 30 days ahead. Then gates refuse again.',
  })
  observeUntil?: Date | null;
}

@ObjectType()
class SetEnforcementPayload {
  @Field(() => Int, {
    nullable: true,
    description: 'How many licences it is about; all are changed in the background.',
  })
  licenses?: number | null;
  @Field(() => License, { nullable: true, description: 'Of the one tenant named.' }) license?: License | null;
  @Field(() => LicenseChange, { nullable: true }) change?: LicenseChange | null;
  @Field(() => Propagation, { nullable: true }) propagation?: Propagation | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@Resolver()
export class EnforcementResolver {
  @Mutation(() => SetEnforcementPayload, {
    description: 'Whether gates refuse what is not in a plan, or let it pass for a while and only record it.',
  })
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  setEnforcement(@Arg('input', () => SetEnforcementInput) input: SetEnforcementInput, @Ctx() ctx: Context) {
    return payload(() => service.setEnforcement(ctx, input));
  }
}
