import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { ListSize, RequiresPermission } from '../../../schema/directives.ts';
import { FEATURE_KEYS } from '../../../schema/features.ts';
import { DateTime, FeatureKey } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseAddOn } from '../catalogue/add-on.entity.ts';
import { PlanVersion } from '../catalogue/plan.entity.ts';
import { Tenant } from '../tenant.stub.ts';
import { Entitlement } from '../terms/entitlement.entity.ts';
import { enforcementAt, entitlementsAt } from '../terms/entitlement.rules.ts';
import { Grant } from '../terms/grant.entity.ts';
import { Hold } from '../terms/hold.entity.ts';
import { endsOf, stateAt } from '../terms/license.rules.ts';
import { Override } from '../terms/override.entity.ts';
import { QuotaUsage } from '../usage/quota-usage.entity.ts';
import { usageOfLicense } from '../usage/quota-usage.service.ts';
import { BillingIntervalEnum, EnforcementEnum, License, LicenseStateEnum } from './license.entity.ts';
import { LicenseChange } from './license-change.entity.ts';
import { nextMove } from './license-change.rules.ts';
import { heldOf } from './license-facts.service.ts';
import { announcedChange } from './planned-change.loaders.ts';

/** What a licence says at its node's instant: the present. The plan behind it is for those who may read the licence. */
@Resolver(() => License)
export class LicenseFieldsResolver {
  @FieldResolver(() => Tenant)
  async tenant(@Root() license: License, @Ctx() ctx: Context): Promise<Tenant> {
    return { id: (await heldOf(ctx, license)).tenantId };
  }

  @FieldResolver(() => LicenseStateEnum)
  async state(@Root() license: License, @Ctx() ctx: Context) {
    const { facts, now } = await heldOf(ctx, license);
    return stateAt(facts, now);
  }

  @FieldResolver(() => EnforcementEnum)
  async enforcement(@Root() license: License, @Ctx() ctx: Context) {
    const { facts, now } = await heldOf(ctx, license);
    return enforcementAt(facts, now);
  }

  @FieldResolver(() => [FeatureKey], { description: 'Features that are open now, fully or for reading.' })
  async enabledFeatures(@Root() license: License, @Ctx() ctx: Context) {
    const { facts, now } = await heldOf(ctx, license);
    return entitlementsAt(facts, now).flatMap(({ feature, access }) => (access === 'NONE' ? [] : [feature]));
  }

  @FieldResolver(() => [Entitlement])
  @ListSize(FEATURE_KEYS.length)
  async features(
    @Arg('keys', () => [FeatureKey], { nullable: true }) keys: string[] | null,
    @Root() license: License,
    @Ctx() ctx: Context,
  ) {
    const { facts, now } = await heldOf(ctx, license);
    return entitlementsAt(facts, now).filter(({ feature }) => !keys || keys.includes(feature));
  }

  @FieldResolver(() => PlanVersion, { nullable: true })
  @RequiresPermission('licensing.license.read')
  async planVersion(@Root() license: License, @Ctx() ctx: Context) {
    return (await heldOf(ctx, license)).planVersion;
  }

  @FieldResolver(() => BillingIntervalEnum, { nullable: true })
  @RequiresPermission('licensing.license.read')
  async interval(@Root() license: License, @Ctx() ctx: Context) {
    return (await heldOf(ctx, license)).facts.interval;
  }

  @FieldResolver(() => DateTime, { nullable: true })
  @RequiresPermission('licensing.license.read')
  validFrom(@Root() license: License) {
    return license.validFrom;
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'End of the trial or paid time; null is never.' })
  @RequiresPermission('licensing.license.read')
  async validUntil(@Root() license: License, @Ctx() ctx: Context) {
    return endsOf((await heldOf(ctx, license)).facts).end;
  }

  @FieldResolver(() => DateTime, { nullable: true })
  @RequiresPermission('licensing.license.read')
  trialEndsAt(@Root() license: License) {
    return license.trialEndsAt;
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'Until then everything works.' })
  @RequiresPermission('licensing.license.read')
  async graceEndsAt(@Root() license: License, @Ctx() ctx: Context) {
    return endsOf((await heldOf(ctx, license)).facts).graceEnd;
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'Until then licensed features can be read.' })
  @RequiresPermission('licensing.license.read')
  async restrictedEndsAt(@Root() license: License, @Ctx() ctx: Context) {
    return endsOf((await heldOf(ctx, license)).facts).restrictedEnd;
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'When time alone will change the licence next.' })
  @RequiresPermission('licensing.license.read')
  async nextTransitionAt(@Root() license: License, @Ctx() ctx: Context) {
    const { facts, now } = await heldOf(ctx, license);
    return nextMove(facts, now);
  }

  @FieldResolver(() => Boolean, { nullable: true })
  @RequiresPermission('licensing.license.read')
  autoRenew(@Root() license: License) {
    return license.autoRenew;
  }

  @FieldResolver(() => [LicenseAddOn], { nullable: true })
  @RequiresPermission('licensing.license.read')
  async addOns(@Root() license: License, @Ctx() ctx: Context) {
    const { addOns, now } = await heldOf(ctx, license);
    const lasting = addOns.filter(({ row }) => !row.endsAt || now < row.endsAt);
    return lasting.map(({ row, addOn, version }) =>
      Object.assign(new LicenseAddOn(), row, { addOn, version: version.version }),
    );
  }

  @FieldResolver(() => [Grant], { nullable: true, description: 'Those that have not ended.' })
  @RequiresPermission('licensing.license.read')
  async grants(@Root() license: License, @Ctx() ctx: Context) {
    const { grants, now } = await heldOf(ctx, license);
    return grants.filter(({ expiresAt }) => !expiresAt || now < expiresAt);
  }

  @FieldResolver(() => [Override], { nullable: true })
  @RequiresPermission('licensing.license.read')
  async overrides(@Root() license: License, @Ctx() ctx: Context) {
    return (await heldOf(ctx, license)).overrides;
  }

  @FieldResolver(() => [Hold], { nullable: true, description: 'Those that are open.' })
  @RequiresPermission('licensing.license.read')
  async holds(@Root() license: License, @Ctx() ctx: Context) {
    return (await heldOf(ctx, license)).holds;
  }

  @FieldResolver(() => LicenseChange, {
    nullable: true,
    description: 'A change that waits for the end of the period or for money.',
  })
  @RequiresPermission('licensing.license.read')
  async scheduledChange(@Root() license: License, @Ctx() ctx: Context) {
    const { planned, now } = await heldOf(ctx, license);
    const isOpen = planned && (planned.row.status === 'AWAITING_PAYMENT' || now < planned.row.effectiveAt);
    return isOpen ? ctx.load(announcedChange, planned.row.id) : null;
  }

  @FieldResolver(() => [QuotaUsage], { nullable: true })
  @RequiresPermission('licensing.license.read')
  limits(@Root() license: License, @Ctx() ctx: Context) {
    return usageOfLicense(ctx, license, null);
  }
}
