import {
  Arg,
  Args,
  Ctx,
  Directive,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { Continuity, Internal, RequiresPermission, SignedIn } from '../../../schema/directives.ts';
import type { DenialReason } from '../../../schema/errors.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { DateTime, FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Tenant } from '../tenant.stub.ts';
import { DenialReasonEnum } from '../terms/entitlement.entity.ts';
import { Denial, UpgradeConversion } from './denial.entity.ts';
import * as service from './denial.service.ts';

const DenialConnection = connectionOf(Denial, 'Denial');
const DenialPayload = payloadOf('DenialPayload', 'denial', () => Denial);

@InputType()
class DenialFilter {
  @Field(() => ID, { nullable: true }) tenantId?: string | null;
  @Field(() => FeatureKey, { nullable: true }) feature?: string | null;
  @Field(() => DenialReasonEnum, { nullable: true }) reason?: DenialReason | null;
  @Field(() => Boolean, { nullable: true }) isClicked?: boolean | null;
  @Field(() => Boolean, { nullable: true }) wasObserved?: boolean | null;
}

@InputType()
class RecordUpgradeClickInput {
  @Field(() => ID, { description: 'As told in the extensions of FEATURE_NOT_LICENSED.' }) denialId!: string;
}

/** What a gateway of another version tells must not keep the rest from being written, so its words are plain texts. */
@InputType()
@Directive('@inaccessible')
class DenialReport {
  @Field(() => ID) id!: string;
  @Field(() => ID) tenantId!: string;
  @Field(() => String) feature!: string;
  @Field(() => String) coordinate!: string;
  @Field(() => String) reason!: string;
  @Field(() => String, { nullable: true }) plan?: string | null;
  @Field(() => ID, { nullable: true }) actor?: string | null;
  @Field(() => DateTime) at!: Date;
  @Field(() => Boolean) wasObserved!: boolean;
}

@Resolver(() => Denial)
export class DenialResolver {
  @Mutation(() => Boolean)
  @Internal()
  recordDenials(@Arg('denials', () => [DenialReport]) denials: DenialReport[], @Ctx() ctx: Context) {
    return service.recordDenials(ctx, denials);
  }

  @Mutation(() => DenialPayload, { description: 'Somebody followed the way out that a denial showed.' })
  @SignedIn()
  @Continuity()
  recordUpgradeClick(
    @Arg('input', () => RecordUpgradeClickInput) { denialId }: RecordUpgradeClickInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => ({ denial: await service.recordUpgradeClick(ctx, denialId) }));
  }

  @Query(() => DenialConnection, { description: 'What licences denied in the last 90 days, newest first.' })
  @RequiresPermission('licensing.fleet.read')
  denials(
    @Arg('filter', () => DenialFilter, { nullable: true }) filter: DenialFilter | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.denials(ctx, filter ?? {}, page);
  }

  @Query(() => UpgradeConversion)
  @RequiresPermission('licensing.fleet.read')
  upgradeConversion(
    @Arg('days', () => Int, { defaultValue: 7, description: '1 to 90.' }) days: number,
    @Ctx() ctx: Context,
  ) {
    return service.upgradeConversion(ctx, days);
  }

  @FieldResolver(() => Tenant)
  tenant(@Root() { tenantId }: Denial): Tenant {
    return { id: tenantId };
  }

  @FieldResolver(() => String, { nullable: true, description: 'The plan of the licence that denied.' })
  @RequiresPermission('licensing.license.read')
  plan(@Root() { plan }: Denial) {
    return plan;
  }

  @FieldResolver(() => ID, { nullable: true, description: 'Who asked.' })
  @RequiresPermission('licensing.license.read')
  actor(@Root() { actor }: Denial) {
    return actor;
  }
}
