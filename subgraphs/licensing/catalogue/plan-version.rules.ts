import { Refusal } from '../../../schema/errors.ts';
import type { Feature, QuotaKey, QuotaPolicy } from '../../../schema/features.ts';
import type { StoredLimit } from './plan.rules.ts';
import {
  type Amount,
  checkAmount,
  checkAvailable,
  checkFeatures,
  checkOnce,
  checkPrice,
  checkRate,
  checkWithin,
  MAX_LIMIT,
} from './version.rules.ts';

export interface PlanLimitTerms {
  key: QuotaKey;
  limit?: bigint | null;
  isUnlimited: boolean;
  policy: QuotaPolicy;
  softMarginPercent: number;
  unitRate?: string | null;
  overageCap?: bigint | null;
}

/** Price and contents of a plan version as they are asked for. */
export interface PlanTerms {
  price: Amount;
  annualDiscountPercent: string;
  trialDays: number;
  graceDays: number;
  restrictedDays: number;
  features: Feature[];
  limits: PlanLimitTerms[];
}

/** The same as the catalogue keeps them. */
export interface PlanContent {
  priceMinor: bigint;
  currency: string;
  annualDiscountPercent: string;
  trialDays: number;
  graceDays: number;
  restrictedDays: number;
  features: Feature[];
  limits: StoredLimit[];
}

/** 0 to 100 with at most two decimal places. */
const PERCENT = /^(100(\.0{1,2})?|\d{1,2}(\.\d{1,2})?)$/;

function checkLimit(terms: PlanLimitTerms): StoredLimit {
  const { key, policy, softMarginPercent, overageCap: cap } = terms;
  const amount = { amount: terms.limit, isUnlimited: terms.isUnlimited };
  const limit = checkAmount(amount, { least: 0n, most: MAX_LIMIT, field: 'limits' });
  const margin = checkWithin(softMarginPercent, 0, 50, 'limits');
  const unitRate = terms.unitRate == null ? undefined : checkRate(terms.unitRate, 'limits');
  if (policy === 'OVERAGE' && unitRate === undefined)
    throw new Refusal('INVALID', `What is used of ${key} over its limit needs a rate.`, 'limits');
  if (cap != null && limit === null)
    throw new Refusal('INVALID', `What is unlimited, as ${key}, has no cap over its limit.`, 'limits');
  return {
    ...{ key, limit, policy },
    ...(margin > 0 ? { softMarginPercent: margin } : {}),
    ...(unitRate === undefined ? {} : { unitRate }),
    ...(cap == null ? {} : { overageCap: cap.toString() }),
  };
}

/** What a plan version may say, checked; refuses with INVALID and the field. A quota it does not name is 0. */
export function checkPlanTerms(terms: PlanTerms): PlanContent {
  const { annualDiscountPercent, features, limits } = terms;
  if (!PERCENT.test(annualDiscountPercent))
    throw new Refusal('INVALID', 'A discount is 0 to 100 with at most 2 decimal places.', 'annualDiscountPercent');
  checkFeatures(features);
  checkAvailable(features, 'features');
  checkOnce(limits, (limit) => limit.key, 'limits');
  return {
    priceMinor: checkPrice(terms.price, 1n, 'price'),
    currency: terms.price.currency,
    annualDiscountPercent,
    trialDays: checkWithin(terms.trialDays, 0, 90, 'trialDays'),
    graceDays: checkWithin(terms.graceDays, 0, 30, 'graceDays'),
    restrictedDays: checkWithin(terms.restrictedDays, 0, 60, 'restrictedDays'),
    features: [...features],
    limits: limits.map(checkLimit),
  };
}
