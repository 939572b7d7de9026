import { Refusal } from '../../../schema/errors.ts';
import { FEATURES, type Feature, parentOf } from '../../../schema/features.ts';

export type VersionStatus = 'DRAFT' | 'PUBLISHED' | 'RETIRED';

/** Everything the platform sells has its price in one currency. */
const CURRENCY = 'USD';
/** A thousand million, in minor units: yearly prices of any quantity stay far inside what the database can hold. */
const MAX_PRICE_MINOR = 100_000_000_000n;
const RATE = /^\d{1,12}(\.\d{1,6})?$/;

const NEXT: Record<VersionStatus, readonly VersionStatus[]> = {
  DRAFT: ['PUBLISHED'],
  PUBLISHED: ['RETIRED'],
  RETIRED: [],
};

/** Moves a version to a status, or refuses with INVALID_STATE; there is no way back. */
export function advanceVersion(from: VersionStatus, to: VersionStatus): VersionStatus {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `A ${from} plan version cannot become ${to}.`, 'id');
  return to;
}

/** Refuses with INVALID_STATE to write anew what is more than a draft. */
export function checkIsDraft(status: VersionStatus): void {
  if (status !== 'DRAFT') throw new Refusal('INVALID_STATE', 'A published plan version does not change.', 'id');
}

export interface Amount {
  amountMinor: bigint;
  currency: string;
}

/** A price in minor units; refuses with INVALID another currency and one that is below `least` or absurd. */
export function checkPrice({ amountMinor, currency }: Amount, least: 0n | 1n, field: string): bigint {
  if (currency !== CURRENCY) throw new Refusal('INVALID', `Prices of the catalogue are in ${CURRENCY}.`, field);
  if (amountMinor < least)
    throw new Refusal('INVALID', least === 0n ? 'A price is 0 or more.' : 'A price is above 0.', field);
  if (amountMinor > MAX_PRICE_MINOR) throw new Refusal('INVALID', `A price is at most ${MAX_PRICE_MINOR}.`, field);
  return amountMinor;
}

/** A price per unit as decimal digits; refuses with INVALID what is below 0 or too fine. */
export function checkRate(rate: string, field: string): string {
  if (!RATE.test(rate)) throw new Refusal('INVALID', 'A rate is a number from 0 with at most 6 decimal places.', field);
  return rate;
}

/** Refuses with INVALID a whole number outside of its bounds. */
export function checkWithin(value: number, least: number, most: number, field: string): number {
  if (value < least || value > most) throw new Refusal('INVALID', `This is ${least} to ${most}.`, field);
  return value;
}

/** Refuses with INVALID a list that names the same thing twice. */
export function checkOnce<T>(items: readonly T[], keyOf: (item: T) => string, field: string): void {
  const seen = new Set<string>();
  for (const key of items.map(keyOf)) {
    if (seen.has(key)) throw new Refusal('INVALID', `${key} is named twice.`, field);
    seen.add(key);
  }
}

/**
 * What a version brings: each feature once, and each part with its parent, in the version itself or with what its buyers
 * hold. Refuses with INVALID anything else.
 */
export function checkFeatures(features: readonly Feature[], held: readonly Feature[] = []): void {
  checkOnce(features, (feature) => feature, 'features');
  const there = new Set<Feature | undefined>([...features, ...held, ...held.map(parentOf)]);
  for (const feature of features) {
    const parent = parentOf(feature);
    if (parent && !there.has(parent))
      throw new Refusal('INVALID', `${feature} needs the ${parent} feature.`, 'features');
  }
}

/** Refuses with INVALID a feature that cannot be had yet, or not any more. */
export function checkAvailable(features: readonly Feature[], field: string): void {
  const missing = features.find((feature) => FEATURES[feature].state !== 'AVAILABLE');
  if (missing) throw new Refusal('INVALID', `${missing} is not available.`, field);
}

/** The most a quota of a plan can be limited to, and the most a piece of an add-on can bring, in base units. */
export const MAX_LIMIT = 1_000_000_000_000_000_000n;
export const MAX_ADDED = 1_000_000_000_000_000n;

/** A limit as typed: an amount, or without end. Refuses with INVALID both, neither, and one outside of its bounds. */
export function checkAmount(
  { amount, isUnlimited }: { amount?: bigint | null; isUnlimited: boolean },
  { least, most, field }: { least: bigint; most: bigint; field: string },
): string | null {
  if (isUnlimited === (amount != null))
    throw new Refusal('INVALID', 'Say how much, or that it is unlimited, and not both.', field);
  if (amount == null) return null;
  if (amount < least || amount > most) throw new Refusal('INVALID', `This is ${least} to ${most}.`, field);
  return amount.toString();
}
