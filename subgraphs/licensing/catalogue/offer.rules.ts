import { FEATURE_KEYS, FEATURES, type Feature, QUOTA_KEYS, type QuotaKey } from '../../../schema/features.ts';
import { type AddOnLimit, compareLimits, type PlanLimit } from './plan.rules.ts';

/** A plan as it is for sale now. */
export interface PlanOffer {
  code: string;
  priceMinor: bigint;
  features: readonly Feature[];
  limits: readonly PlanLimit[];
}

/** An add-on as it is for sale now. */
export interface AddOnOffer {
  code: string;
  priceMinor: bigint;
  features: readonly Feature[];
  limits: readonly AddOnLimit[];
}

/** What would open a shut door, for answers of the gateway. */
export interface Offers {
  /** By feature: the cheapest plan that holds it and the add-ons that bring it, cheapest first. */
  features: Partial<Record<Feature, { requiredPlan: string | null; addOns: string[] }>>;
  /** By quota and plan: the cheapest plan that allows more, or null where none does. */
  quotas: Record<QuotaKey, Record<string, string | null>>;
}

const byPrice = <T extends { priceMinor: bigint }>(items: readonly T[]): T[] =>
  [...items].sort((a, b) => Number(a.priceMinor - b.priceMinor));

/** Whether an add-on can be bought: nothing it brings is only announced. */
export const isSellable = (addOn: { features: readonly Feature[] }): boolean =>
  addOn.features.every((feature) => FEATURES[feature].state === 'AVAILABLE');

/** What opens each feature and raises each limit (R5). */
export function offersOf(plans: readonly PlanOffer[], addOns: readonly AddOnOffer[]): Offers {
  const [cheapest, shelf] = [byPrice(plans), byPrice(addOns).filter(isSellable)];
  const features: Offers['features'] = {};
  for (const feature of FEATURE_KEYS) {
    const requiredPlan = cheapest.find((plan) => plan.features.includes(feature))?.code ?? null;
    const bringing = shelf.filter((addOn) => addOn.features.includes(feature)).map((addOn) => addOn.code);
    if (requiredPlan || bringing.length > 0) features[feature] = { requiredPlan, addOns: bringing };
  }
  const limitOf = (plan: PlanOffer, key: QuotaKey) => {
    const row = plan.limits.find((limit) => limit.key === key);
    return row ? row.limit : 0n;
  };
  const above = (plan: PlanOffer, key: QuotaKey) =>
    cheapest.find((other) => compareLimits(limitOf(other, key), limitOf(plan, key)) > 0)?.code ?? null;
  const nextOf = (key: QuotaKey) => Object.fromEntries(cheapest.map((plan) => [plan.code, above(plan, key)]));
  const quotas = Object.fromEntries(QUOTA_KEYS.map((key) => [key, nextOf(key)])) as Offers['quotas'];
  return { features, quotas };
}
