import { Arg, Args, Ctx, Field, ID, InputType, Mutation, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission, SignedIn } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import type { LicenseState, LicenseTerms } from '../terms/license.rules.ts';
import { BillingIntervalEnum, License, LicenseStateEnum, LicenseTermsEnum } from './license.entity.ts';
import { LicensePayload } from './license.payload.ts';
import * as service from './license.service.ts';
import { licenseAt } from './license-at.service.ts';
import { propagated } from './propagation.service.ts';

const LicenseConnection = connectionOf(License, 'License');

@InputType()
class LicenseFilter {
  @Field(() => String, { nullable: true, description: 'Code of a plan.' }) plan?: string | null;
  @Field(() => LicenseStateEnum, { nullable: true }) state?: LicenseState | null;
}

@InputType()
class IssueLicenseInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { description: 'Code of a plan.' }) plan!: string;
  @Field(() => BillingIntervalEnum) interval!: BillingInterval;
  @Field(() => Boolean, { defaultValue: false }) isTrial!: boolean;
  @Field(() => LicenseTermsEnum, { defaultValue: 'INVOICED' }) terms!: LicenseTerms;
  @Field(() => String) idempotencyKey!: string;
}

@Resolver(() => License)
export class LicenseResolver {
  @Query(() => License, { nullable: true, description: 'The licence of the caller’s tenant.' })
  @SignedIn()
  license(@Ctx() ctx: Context) {
    return service.ownLicense(ctx);
  }

  @Query(() => License, {
    nullable: true,
    description:
      'The licence as it was at an instant, or as it will be if nobody changes it; null before there was one. Its `limits` are those of the instant, beside what is used now. A client’s cache has to keep it apart: the id is that of `license`.',
  })
  @RequiresPermission('licensing.license.read')
  licenseAt(@Arg('at', () => DateTime) at: Date, @Ctx() ctx: Context) {
    return licenseAt(ctx, at);
  }

  @Query(() => License, { nullable: true })
  @RequiresPermission('licensing.fleet.read')
  tenantLicense(@Arg('tenantId', () => ID) tenantId: string, @Ctx() ctx: Context) {
    return service.tenantLicense(ctx, tenantId);
  }

  @Query(() => LicenseConnection, { description: 'The licences of all tenants, oldest first.' })
  @RequiresPermission('licensing.fleet.read')
  tenantLicenses(
    @Arg('filter', () => LicenseFilter, { nullable: true }) filter: LicenseFilter | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.tenantLicenses(ctx, filter ?? {}, page);
  }

  @Mutation(() => LicensePayload, { description: 'Gives a tenant its licence.' })
  @RequiresPermission('licensing.fleet.manage')
  @Continuity()
  issueLicense(@Arg('input', () => IssueLicenseInput) { tenantId, ...wanted }: IssueLicenseInput, @Ctx() ctx: Context) {
    return payload(() =>
      propagated(ctx, tenantId, () => service.issueLicense(service.inTenant(ctx, tenantId), wanted)),
    );
  }
}
