import { QUOTAS, type QuotaKey } from '../../../schema/features.ts';

/** A period of a metered quota that is over, in base units. */
export interface Metered {
  key: QuotaKey;
  used: bigint;
  /** What is not charged. */
  included: bigint;
}

export interface UsageReport {
  used: string;
  included: string;
  excess: string;
}

/** An amount of base units in the unit that has a price, exactly: 1,500,000,000 bytes are 1.5. */
export function inPricedUnits(amount: bigint, unitFactor: number): string {
  const factor = BigInt(unitFactor);
  const places = String(unitFactor).length - 1; // factors are powers of ten
  const rest = String(amount % factor)
    .padStart(places, '0')
    .replace(/0+$/, '');
  return rest && places > 0 ? `${amount / factor}.${rest}` : String(amount / factor);
}

/** What billing is told of a period: use, what the plan includes, and the excess that is charged; never below zero. */
export function reportOf({ key, used, included }: Metered): UsageReport {
  const excess = used > included ? used - included : 0n;
  const priced = (amount: bigint) => inPricedUnits(amount, QUOTAS[key].unitFactor);
  return { used: priced(used), included: priced(included), excess: priced(excess) };
}
