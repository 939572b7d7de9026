import type { Period } from '../../../schema/calendar.ts';
import type { Feature } from '../../../schema/features.ts';
import { money } from '../../../schema/money.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { isSellable } from '../catalogue/offer.rules.ts';
import type { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { type Fraction, featuresOf, periodPrice, refOf, shareOf } from '../catalogue/plan.rules.ts';
import { catalogue, listAddOns, listPlans, planForSale } from '../catalogue/plan.service.ts';
import type { License } from '../licenses/license.entity.ts';
import { ownLicense, readChanged } from '../licenses/license.service.ts';
import type { LicenseChange } from '../licenses/license-change.entity.ts';
import { type Changed, changing, type Told } from '../licenses/license-change.service.ts';
import { type Held, planFacts, presentLicense } from '../licenses/license-facts.service.ts';
import { entitlementAt, type LicenseFacts } from '../terms/entitlement.rules.ts';
import { type BillingInterval, type LicenseState, periodAt, stateAt } from '../terms/license.rules.ts';
import type { UpgradeOption } from './upgrade.entity.ts';
import {
  checkIsUpgrade,
  checkMayUpgrade,
  directionOf,
  dueForRest,
  intervalAfter,
  netOf,
  type PriceLine,
  upgradeLines,
} from './upgrade.rules.ts';

export interface UpgradeWanted {
  newPlan: string;
  interval?: BillingInterval | null;
  idempotencyKey: string;
}

/**
 * Moves the caller's licence to a larger plan at once, at today's price. The same key gives the same answer and one
 * charge. Refuses with NOT_FOUND a plan that is not for sale, with INVALID_STATE the same plan, whatever is not an
 * upgrade, another interval within a paid period, and a licence whose paid time is over.
 */
export function upgradeLicense(ctx: Context, wanted: UpgradeWanted): Promise<Changed> {
  return ctx.tx(async (em) => {
    const { newPlan, idempotencyKey: key, interval = null } = wanted;
    const done = await once(ctx, em, { door: 'upgradeLicense', key, request: { newPlan, interval } }, async () => {
      const { plan, version } = await planForSale(em, newPlan);
      let from = '';
      const { license, change } = await changing(ctx, em, (held) => {
        from = refOf(held.plan.code, held.planVersion.number);
        return moveToPlan(held, plan, version, interval, ctx.now());
      });
      if (change) tellBilling(ctx, em, license, change, { from, to: refOf(plan.code, version.number) });
      return { licenseId: license.id, changeId: change?.id ?? null };
    });
    return readChanged(em, done);
  });
}

/** Points the licence at another plan version, and says what that costs. */
function moveToPlan(held: Held, plan: Plan, version: PlanVersion, asked: BillingInterval | null, now: Date): Told {
  const { license, facts } = held;
  const state = stateAt(facts, now);
  checkMayUpgrade(state);
  const direction = directionOf(facts, { ...facts, plan: planFacts(plan, version) }, now);
  checkIsUpgrade(held.plan.code, plan.code, direction);
  license.interval = intervalAfter(state, license.interval, asked);
  license.planVersionId = version.id;
  return { cause: 'UPGRADED', lines: linesOf(held, plan, version, state, now) };
}

/** The lines of an upgrade: none in a trial, for which nothing was paid. */
function linesOf(held: Held, plan: Plan, version: PlanVersion, state: LicenseState, now: Date): PriceLine[] {
  if (state !== 'ACTIVE') return [];
  const { license } = held;
  const sold = (p: Plan, { number, priceMinor, currency, annualDiscountPercent }: PlanVersion) => ({
    ...{ code: p.code, number, priceMinor, currency, annualDiscountPercent },
  });
  const [from, to] = [sold(held.plan, held.planVersion), sold(plan, version)];
  return upgradeLines({ from, to, interval: license.interval, period: periodAt(license, now), now });
}

function tellBilling(
  ctx: Context,
  em: EntityManager,
  license: License,
  change: LicenseChange,
  { from, to }: { from: string; to: string },
): void {
  const told = {
    changeId: change.id,
    licenseId: license.id,
    status: 'APPLIED',
    direction: 'UPGRADE',
    interval: license.interval,
    from,
    to,
    previewHash: null,
    pricedAt: ctx.now().toISOString(),
    effectiveAt: change.effectiveAt.toISOString(),
    lines: change.lines,
    licensedTenantId: ctx.tenantId,
    version: change.version,
  } as const;
  emit(em, 'licensing.change.applied', { ...told, addOns: [] });
  emitToPlatform(em, 'licensing.change.applied', { ...told, addOns: [] });
}

/**
 * What would open a feature to the caller's tenant: larger plans and add-ons, cheapest first, each with what is due
 * today. Empty where the feature is open or nothing sold holds it.
 */
export async function upgradeOptions(ctx: Context, feature: Feature): Promise<UpgradeOption[]> {
  const license = await ownLicense(ctx);
  const held = license && (await ctx.load(presentLicense, license.id));
  if (!held || entitlementAt(held.facts, feature, held.now).access !== 'NONE') return [];
  const options = [
    ...(await planOptions(ctx, held, feature, held.now)),
    ...(await addOnOptions(ctx, held, feature, held.now)),
  ];
  return options.sort((a, b) => Number(a.monthlyPrice.amountMinor - b.monthlyPrice.amountMinor));
}

async function planOptions(ctx: Context, held: Held, feature: Feature, now: Date): Promise<UpgradeOption[]> {
  const { versions } = await catalogue(ctx);
  const state = stateAt(held.facts, now);
  return (await listPlans(ctx)).flatMap((plan) => {
    const version = versions.get(plan.id);
    if (!version || !featuresOf(version.features).includes(feature)) return [];
    const after: LicenseFacts = { ...held.facts, plan: planFacts(plan, version) };
    if (directionOf(held.facts, after, now) !== 'UPGRADE') return [];
    const net = netOf(linesOf(held, plan, version, state, now));
    return [optionOf({ plan }, held, periodPrice(version, held.license.interval), version.currency, dueIn(state, net))];
  });
}

async function addOnOptions(ctx: Context, held: Held, feature: Feature, now: Date): Promise<UpgradeOption[]> {
  const { addOnVersions } = await catalogue(ctx);
  const state = stateAt(held.facts, now);
  const period: Period = periodAt(held.license, now);
  const opens = (key: Feature) => entitlementAt(held.facts, key, now).access === 'FULL';
  return (await listAddOns(ctx, null)).flatMap((addOn) => {
    const version = addOnVersions.get(addOn.id);
    const features = featuresOf(version?.features ?? []);
    if (!version || !features.includes(feature) || !isSellable({ features })) return [];
    if (!featuresOf(version.requires).every(opens)) return [];
    const price = periodPrice({ ...version, annualDiscountPercent: '0' }, held.license.interval);
    const net = state === 'ACTIVE' ? dueForRest(price, period, now) + version.setupFeeMinor : 0n;
    return [optionOf({ addOn }, held, price, version.currency, dueIn(state, net))];
  });
}

/** What is due at once: nothing in a trial, unknown while the licence has to be paid first. */
const dueIn = (state: LicenseState, net: bigint) => (state === 'TRIAL' ? 0n : state === 'ACTIVE' ? net : null);

function optionOf(
  what: Pick<UpgradeOption, 'plan' | 'addOn'>,
  held: Held,
  price: Fraction,
  currency: string,
  due: bigint | null,
): UpgradeOption {
  const perMonth = shareOf(price, 1n, held.license.interval === 'YEAR' ? 12n : 1n);
  return { ...what, netDueToday: due === null ? null : money(due, currency), monthlyPrice: money(perMonth, currency) };
}
