import type { QuotaKey } from '../../../schema/features.ts';
import type { QuotaTerms } from '../../_kernel/quota.rules.ts';
import type { PlanLimit } from '../catalogue/plan.rules.ts';
import {
  type AddOnFacts,
  type EntitlementSource,
  isUnexpired,
  isWithin,
  type LicenseFacts,
  spokenOf,
} from './entitlement.rules.ts';

/** A quota's limit for one tenant, and who says so. Null is without end. */
export interface LimitAnswer extends PlanLimit {
  source: EntitlementSource;
  expiresAt: Date | null;
}

const ABSENT = { limit: 0n, policy: 'HARD', softMarginPercent: 0, unitRate: null, overageCap: null } as const;

/** A quota of which nothing is allowed, as for a tenant without a licence. */
export const absentLimit = (key: QuotaKey): LimitAnswer => ({ key, ...ABSENT, source: 'DEFAULT', expiresAt: null });

/** A limit's terms, as they are counted and compared. */
export const termsIn = ({ softMarginPercent: marginPercent, ...answer }: PlanLimit): QuotaTerms => {
  const { limit, policy, overageCap, unitRate } = answer;
  return { limit, policy, marginPercent, overageCap, unitRate };
};

/** A rate of up to 6 decimal places in millionths. */
function millionths(rate: string): bigint {
  const [units = '0', places = ''] = rate.split('.');
  return BigInt(units) * 1_000_000n + BigInt(places.padEnd(6, '0').slice(0, 6));
}

/**
 * How use above a limit is sold: by the plan, or by the meters of the add-ons held, whatever their quantity. Of several
 * rates the lowest counts, so that to buy one more never makes use dearer. Null where none has a meter.
 */
function meteredBy(addOns: readonly AddOnFacts[], base: PlanLimit): Pick<PlanLimit, 'policy' | 'unitRate'> | null {
  const rates = addOns.flatMap(({ meter }) => (meter?.quota === base.key ? [meter.unitRate] : []));
  if (rates.length === 0) return null;
  if (base.policy === 'OVERAGE' && base.unitRate !== null) rates.push(base.unitRate);
  return { policy: 'OVERAGE', unitRate: rates.reduce((a, b) => (millionths(b) < millionths(a) ? b : a)) };
}

/**
 * `override.limit ?? max(plan + Σ ADD × quantity, largest SET)` (R2), in base units. Unlimited anywhere in the winner is
 * unlimited; a quota absent from the plan is 0; each field of an override falls back by itself. An add-on's meter makes
 * the plan's policy OVERAGE at its rate while it is held.
 */
export function limitAt(facts: LicenseFacts, key: QuotaKey, asked: Date): LimitAnswer {
  const now = spokenOf(facts, asked);
  const plan = facts.test?.plan ?? facts.plan;
  const own = plan.limits.find((limit) => limit.key === key);
  const base = own ?? { key, ...ABSENT };
  const addOns = facts.addOns.filter((addOn) => isWithin(now, addOn.startsAt, addOn.endsAt));
  const parts = addOns.flatMap((addOn) =>
    addOn.limits.filter((l) => l.key === key).map((l) => ({ ...l, quantity: BigInt(addOn.quantity) })),
  );
  let summed: bigint | null = base.limit;
  let largest: bigint | null = 0n;
  for (const { mode, amount, quantity } of parts) {
    if (mode === 'ADD') summed = summed === null || amount === null ? null : summed + amount * quantity;
    else largest = largest === null || amount === null ? null : amount > largest ? amount : largest;
  }
  const sold = summed === null || largest === null ? null : largest > summed ? largest : summed;
  const override = facts.overrides.find((o) => o.key === key && isUnexpired(o, now));
  const over = meteredBy(addOns, base) ?? base;
  const isLimited = override !== undefined && (override.isUnlimited || override.limit !== null);
  const seller = facts.test?.plan ? 'TEST_OVERRIDE' : own ? 'PLAN' : 'DEFAULT';
  return {
    key,
    limit: isLimited ? (override.isUnlimited ? null : override.limit) : sold,
    policy: override?.policy ?? over.policy,
    softMarginPercent: override?.softMarginPercent ?? base.softMarginPercent,
    unitRate: override?.unitRate ?? over.unitRate,
    overageCap: base.overageCap,
    source: isLimited ? 'OVERRIDE' : sold === base.limit ? seller : 'ADD_ON',
    expiresAt: override?.expiresAt ?? null,
  };
}
