import { Refusal } from '../../../schema/errors.ts';
import { FEATURES, type Feature, type QuotaKey } from '../../../schema/features.ts';
import { text } from '../../../schema/words.ts';
import type { LimitMode, StoredLimit } from './plan.rules.ts';
import {
  type Amount,
  checkAmount,
  checkAvailable,
  checkFeatures,
  checkOnce,
  checkPrice,
  checkRate,
  checkWithin,
  MAX_ADDED,
} from './version.rules.ts';

export interface AddOnLimitTerms {
  key: QuotaKey;
  mode: LimitMode;
  amount?: bigint | null;
  isUnlimited: boolean;
}

/** A quota whose use above its limit an add-on sells, and the price of one unit, decimal digits in the catalogue's currency. */
export interface Meter {
  quota: QuotaKey;
  unitRate: string;
}

/** Name, price and contents of an add-on as they are asked for. */
export interface AddOnTerms {
  code: string;
  name: string;
  price: Amount;
  setupFee?: Amount | null;
  features: Feature[];
  limits: AddOnLimitTerms[];
  requires: Feature[];
  maxQuantity: number;
  meter?: Meter | null;
}

/** What a version of it holds, as the catalogue keeps it. */
export interface AddOnContent {
  priceMinor: bigint;
  setupFeeMinor: bigint;
  currency: string;
  features: Feature[];
  limits: StoredLimit[];
  requires: Feature[];
  maxQuantity: number;
  meter: Meter | null;
}

const CODE = /^[a-z][a-z0-9_]{1,31}$/;

/**
 * What an add-on may say, checked; refuses with INVALID and the field. A feature that is only announced may be put on
 * the shelf, where it is seen and cannot be bought (R4).
 */
export function checkAddOnTerms(terms: AddOnTerms): { code: string; name: string; content: AddOnContent } {
  const { code, features, limits, requires, meter, setupFee } = terms;
  if (!CODE.test(code))
    throw new Refusal('INVALID', 'A code has 2 to 32 letters a to z, digits and underscores.', 'code');
  const name = text(terms.name, 60, 'name', { name: 'A name' });
  checkOnce(requires, (feature) => feature, 'requires');
  checkAvailable(requires, 'requires');
  checkFeatures(features, requires);
  const retired = features.find((feature) => isRetired(feature));
  if (retired) throw new Refusal('INVALID', `${retired} is not available.`, 'features');
  checkOnce(limits, (limit) => limit.key, 'limits');
  const content: AddOnContent = {
    priceMinor: checkPrice(terms.price, 0n, 'price'),
    setupFeeMinor: setupFee ? checkPrice(setupFee, 0n, 'setupFee') : 0n,
    currency: terms.price.currency,
    features: [...features],
    limits: limits.map(({ key, mode, ...amount }) => ({
      ...{ key, mode },
      amount: checkAmount(amount, { least: 1n, most: MAX_ADDED, field: 'limits' }),
    })),
    requires: [...requires],
    maxQuantity: checkWithin(terms.maxQuantity, 1, 1_000, 'maxQuantity'),
    meter: meter ? { quota: meter.quota, unitRate: checkRate(meter.unitRate, 'meter') } : null,
  };
  return { code, name, content };
}

const isRetired = (feature: Feature) => (FEATURES[feature].state as string) === 'RETIRED';
