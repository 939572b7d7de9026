import { monthlyPeriod } from '../../../schema/calendar.ts';
import { QUOTAS, type QuotaKey, type QuotaPolicy } from '../../../schema/features.ts';
import { carriedOver, MAX_USE, type QuotaTerms, type TopUp, topUpsLeft } from '../../_kernel/quota.rules.ts';
import type { EntitlementSource } from '../terms/entitlement.rules.ts';
import type { LimitAnswer } from '../terms/limit.rules.ts';

/** A counter as the kernel keeps it. */
export interface CountedUse extends QuotaTerms {
  used: bigint;
  /** Of it, what top-ups have paid for. */
  toppedUp: bigint;
  topUps: readonly TopUp[];
  anchorDay: number;
  zone: string;
  periodStart: Date | null;
  periodEnd: Date | null;
  /** What it goes by from its next period on, where that is less than now. */
  next: QuotaTerms | null;
}

/** What a counter will go by from an instant on. */
export interface ComingAnswer {
  from: Date;
  limit: bigint;
  policy: QuotaPolicy;
  unitRate: string | null;
}

export interface UsageAnswer {
  key: QuotaKey;
  kind: 'GAUGE' | 'COUNTER';
  baseUnit: string;
  isUnlimited: boolean;
  limit: bigint | null;
  used: bigint;
  topUpRemaining: bigint;
  policy: QuotaPolicy;
  percent: number | null;
  periodStart: Date | null;
  periodEnd: Date | null;
  source: EntitlementSource;
  overage: bigint;
  unitRate: string | null;
  next: ComingAnswer | null;
}

/** The largest percent that is told: GraphQL’s Int ends there. */
const MAX_PERCENT = 2_147_483_647n;
const least = (a: bigint, b: bigint) => (a < b ? a : b);

const NOTHING = { used: 0n, toppedUp: 0n, topUps: [], periodStart: null, periodEnd: null };

/** A counter's use in the period an instant lies in: a new period begins at nothing, though no one has used it yet. */
function countedAt(kind: 'GAUGE' | 'COUNTER', counted: CountedUse | undefined, now: Date) {
  if (!counted) return NOTHING;
  if (kind === 'GAUGE') return { ...counted, periodStart: null, periodEnd: null };
  if (counted.periodEnd && now < counted.periodEnd) return counted;
  const { start, end } = monthlyPeriod(now, counted.anchorDay, counted.zone);
  const begun = counted.periodEnd && counted.periodEnd > start ? counted.periodEnd : start; // the anchor may have moved
  return { ...NOTHING, topUps: carriedOver(counted.topUps, begun), periodStart: begun, periodEnd: end };
}

/** What waits for a counter's next period: in the one that runs it goes by what it held (NEXT_PERIOD of R15). */
function comingAfter(counted: CountedUse | undefined, now: Date): ComingAnswer | null {
  if (!counted?.next || !counted.periodEnd || counted.periodEnd <= now) return null;
  const { limit, policy, unitRate } = counted.next;
  return { from: counted.periodEnd, limit: limit ?? 0n, policy, unitRate }; // what is without end is never less
}

/**
 * A quota as people see it: limit and use in base units, percent of the limit rounded down.
 * @param isPresent the limit is asked for the present, in which a counter may go by more than the licence says.
 */
export function usageOf(
  answer: LimitAnswer,
  counted: CountedUse | undefined,
  now: Date,
  isPresent = true,
): UsageAnswer {
  const { key, source } = answer;
  const next = isPresent ? comingAfter(counted, now) : null;
  const { limit, policy, unitRate } = (next && counted) || answer;
  const { kind, baseUnit } = QUOTAS[key];
  const { used, toppedUp, topUps, periodStart, periodEnd } = countedAt(kind, counted, now);
  const isOver = limit !== null && policy === 'OVERAGE' && used - toppedUp > limit;
  return {
    ...{ key, kind, baseUnit, limit, used, policy, source, unitRate, periodStart, periodEnd, next },
    topUpRemaining: least(topUpsLeft(topUps, now), MAX_USE),
    isUnlimited: limit === null,
    percent: limit === null || limit === 0n ? null : Number(least((used * 100n) / limit, MAX_PERCENT)),
    overage: isOver ? used - toppedUp - limit : 0n,
  };
}
