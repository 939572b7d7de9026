import { Refusal } from '../../../schema/errors.ts';
import type { Feature } from '../../../schema/features.ts';
import { money } from '../../../schema/money.ts';
import type { Context } from '../../_kernel/context.ts';
import { isSellable } from '../catalogue/offer.rules.ts';
import { featuresOf } from '../catalogue/plan.rules.ts';
import { catalogue, listAddOns, listPlans } from '../catalogue/plan.service.ts';
import { type Fraction, netOf, periodPrice, shareOf } from '../catalogue/price.rules.ts';
import { ownLicense } from '../licenses/license.service.ts';
import { type PresentLicense, presentLicense } from '../licenses/license-facts.service.ts';
import { factsWith, heldAddOns, type Wanted } from '../licenses/planned-change.service.ts';
import { entitlementAt } from '../terms/entitlement.rules.ts';
import { directionOf } from './plan-change.rules.ts';
import { propose } from './plan-change.service.ts';
import { addOnPrice } from './price-change.rules.ts';
import type { UpgradeOption } from './upgrade-option.entity.ts';

/**
 * What would open a feature to the caller's tenant: larger plans and add-ons, cheapest first, each with what is due
 * today. Empty where the feature is open or nothing sold holds it.
 */
export async function upgradeOptions(ctx: Context, feature: Feature): Promise<UpgradeOption[]> {
  const license = await ownLicense(ctx);
  const held = license && (await ctx.load(presentLicense, license.id));
  const answer = held && entitlementAt(held.facts, feature, held.now);
  if (!held || answer?.access !== 'NONE' || answer.reason === 'OVERRIDE_OFF') return []; // an exception stays, whatever is bought
  const options = [...(await planOptions(ctx, held, feature)), ...(await addOnOptions(ctx, held, feature))];
  return options.sort((a, b) => Number(a.monthlyPrice.amountMinor - b.monthlyPrice.amountMinor));
}

async function planOptions(ctx: Context, held: PresentLicense, feature: Feature): Promise<UpgradeOption[]> {
  const { versions } = await catalogue(ctx);
  return (await listPlans(ctx)).flatMap((plan) => {
    const planVersion = versions.get(plan.id);
    if (!planVersion || !featuresOf(planVersion.features).includes(feature)) return [];
    const wanted = { ...presentState(held), plan, planVersion };
    const price = periodPrice(planVersion, wanted.interval);
    return optionOf(ctx, held, wanted, { plan }, price);
  });
}

async function addOnOptions(ctx: Context, held: PresentLicense, feature: Feature): Promise<UpgradeOption[]> {
  const { addOnVersions } = await catalogue(ctx);
  const opens = (key: Feature) => entitlementAt(held.facts, key, held.now).access === 'FULL';
  return (await listAddOns(ctx, null)).flatMap((addOn) => {
    const version = addOnVersions.get(addOn.id);
    const features = featuresOf(version?.features ?? []);
    if (!version || !features.includes(feature) || !isSellable({ features })) return [];
    if (!featuresOf(version.requires).every(opens)) return [];
    const state = presentState(held);
    const wanted = { ...state, addOns: [...state.addOns, { addOn, version, quantity: 1 }] };
    return optionOf(ctx, held, wanted, { addOn }, addOnPrice({ ...version, quantity: 1 }, wanted.interval));
  });
}

/** The end state that changes nothing. */
const presentState = ({ plan, planVersion, license, now, ...held }: PresentLicense): Wanted => ({
  ...{ plan, planVersion, interval: license.interval },
  addOns: heldAddOns(held, now).map(({ row, addOn, version }) => ({ addOn, version, quantity: row.quantity })),
});

/** One way out with its price; none where it is no upgrade. What is due is unknown while the licence must be paid first. */
function optionOf(
  ctx: Context,
  held: PresentLicense,
  wanted: Wanted,
  what: Pick<UpgradeOption, 'plan' | 'addOn'>,
  price: Fraction,
): UpgradeOption[] {
  const { currency } = wanted.planVersion;
  const perMonth = money(shareOf(price, 1n, wanted.interval === 'YEAR' ? 12n : 1n), currency);
  if (directionOf(held.facts, factsWith(held, wanted, held.now), held.now) !== 'UPGRADE') return [];
  try {
    const { decision } = propose(ctx, held, wanted, [], false, held.now);
    const due = decision.timing === 'NOW' ? money(netOf(decision.lines), currency) : null;
    return [{ ...what, netDueToday: due, monthlyPrice: perMonth }];
  } catch (error) {
    if (error instanceof Refusal) return [{ ...what, netDueToday: null, monthlyPrice: perMonth }];
    throw error;
  }
}
