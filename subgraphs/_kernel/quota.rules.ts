import { localDate, monthlyPeriod, nextDate, startOfDay } from '../../schema/calendar.ts';
import { allowsLess, ceilingOf, type LimitTerms } from '../../schema/quota.ts';

/** Shares of a limit at which its owner is warned, percent. */
const WARN_AT = [80, 100] as const;
/** A gauge that fell this far below a threshold warns again, percentage points. */
const REARM_BELOW = 5;
/** Days that nobody closed are written down at most this far back. */
const MAX_DAYS = 366;

/** A one-off allowance on top of a counter. */
export interface TopUp {
  grantId: string;
  remaining: bigint;
  /** The lower burns first. */
  priority: number;
  startsAt: Date;
  expiresAt: Date | null;
  /** What of it may be carried into the next period. */
  rolloverMax: bigint;
}

/** What a licence allows of a quota. */
export interface Allowance extends LimitTerms {
  topUps: readonly TopUp[];
}

/** What a licence says of a quota, and what a unit over the limit costs, where that is sold. */
export interface QuotaTerms extends LimitTerms {
  unitRate: string | null;
}

/** What is used of it in its period, and how much of that top-ups have paid for. */
export interface Use {
  used: bigint;
  toppedUp: bigint;
}

const least = (a: bigint, b: bigint) => (a < b ? a : b);
const most = (a: bigint, b: bigint) => (a > b ? a : b);

/** The thresholds that use has newly reached: `used × 100 ≥ limit × percent`. */
export function newlyReached(used: bigint, limit: bigint | null, warned: readonly number[]): number[] {
  if (limit === null || limit === 0n) return [];
  return WARN_AT.filter((percent) => !warned.includes(percent) && used * 100n >= limit * BigInt(percent));
}

/** The least use at which a threshold is reached. */
const reachedAt = (limit: bigint, percent: number): bigint => (limit * BigInt(percent) + 99n) / 100n;

/** The thresholds that stay told when a gauge has fallen. */
export const stillWarned = (used: bigint, limit: bigint | null, warned: readonly number[]): number[] =>
  warned.filter((percent) => limit !== null && used * 100n >= limit * BigInt(percent - REARM_BELOW));

/** Top-ups in the order they burn: by priority, the first to expire, the oldest. */
function burning(topUps: readonly TopUp[], now: Date): TopUp[] {
  const endOf = ({ expiresAt }: TopUp) => expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
  return topUps
    .filter((topUp) => topUp.startsAt <= now && now.getTime() < endOf(topUp))
    .sort(
      (a, b) =>
        compare(a.priority, b.priority) ||
        compare(endOf(a), endOf(b)) ||
        compare(a.startsAt.getTime(), b.startsAt.getTime()) ||
        (a.grantId < b.grantId ? -1 : 1),
    );
}

/** What is left of top-ups that may be burned at an instant. */
export const topUpsLeft = (topUps: readonly TopUp[], now: Date): bigint =>
  burning(topUps, now).reduce((sum, { remaining }) => sum + remaining, 0n);

/** Top-ups in a period that begins: of one that could burn before it, no more than may be carried over. */
export const carriedOver = (topUps: readonly TopUp[], start: Date): TopUp[] =>
  topUps.map((topUp) =>
    topUp.startsAt < start ? { ...topUp, remaining: least(topUp.remaining, topUp.rolloverMax) } : topUp,
  );

/** What is left to use, with everything that may be burned for it; null is without end. */
export function leftOf(allowed: Allowance, { used, toppedUp }: Use, now: Date): bigint | null {
  const ceiling = ceilingOf(allowed.limit, allowed.policy, allowed.marginPercent, allowed.overageCap);
  return ceiling === null ? null : most(0n, ceiling - (used - toppedUp)) + topUpsLeft(allowed.topUps, now);
}

/** Use after `amount` more: first the allotment burns, then top-ups, then margin or overage. Null when it is too much. */
export function burnt(
  allowed: Allowance,
  { used, toppedUp }: Use,
  amount: bigint,
  now: Date,
): (Use & { topUps: readonly TopUp[] }) | null {
  const { limit, topUps } = allowed;
  if (limit === null) return { used: used + amount, toppedUp, topUps };
  const own = used - toppedUp;
  let left = amount - least(amount, most(0n, limit - own));
  const remaining = new Map(topUps.map((topUp) => [topUp, topUp.remaining]));
  for (const topUp of left > 0n ? burning(topUps, now) : []) {
    const share = least(left, topUp.remaining);
    remaining.set(topUp, topUp.remaining - share);
    left -= share;
    toppedUp += share;
  }
  const ceiling = ceilingOf(limit, allowed.policy, allowed.marginPercent, allowed.overageCap);
  if (left > 0n && ceiling !== null && used + amount - toppedUp > ceiling) return null;
  const burned = topUps.map((topUp) => ({ ...topUp, remaining: remaining.get(topUp) as bigint }));
  return { used: used + amount, toppedUp, topUps: burned };
}

/** The largest number PostgreSQL counts to. */
export const MAX_USE = 9_223_372_036_854_775_807n;

/** Up to which use nothing has to be decided: no top-up burns, nothing is refused and no threshold is reached. */
export function plainUntil({ limit, policy, marginPercent, overageCap, topUps, toppedUp, warned }: Counted): bigint {
  if (limit === null) return MAX_USE;
  const isToppedUp = topUps.some(({ remaining }) => remaining > 0n);
  const room = isToppedUp ? limit : ceilingOf(limit, policy, marginPercent, overageCap);
  const silent = limit === 0n ? [] : WARN_AT.filter((percent) => !warned.includes(percent));
  const unwarned = silent.map((percent) => reachedAt(limit, percent) - 1n);
  return [room === null ? MAX_USE : room + toppedUp, ...unwarned].reduce(least, MAX_USE);
}

/** A quota as it is counted. */
export interface Counted extends Allowance, QuotaTerms, Use {
  kind: 'GAUGE' | 'COUNTER';
  /** What a counter goes by from its next period on, where that is less than now. */
  next: QuotaTerms | null;
  /** Use told from outside. */
  reported: bigint;
  anchorDay: number;
  zone: string;
  periodStart: Date | null;
  periodEnd: Date | null;
  warned: number[];
  /** The local day that runs. */
  day: string | null;
  dayEndsAt: Date | null;
  dayAdded: bigint;
  dayPeak: bigint;
  /** Highest use at the end of a day of this period. */
  highestClosing: bigint;
}

export interface ClosedDay {
  date: string;
  added: bigint;
  closing: bigint;
  peak: bigint;
}

/** A period whose excess is charged: a counter's total, a gauge's highest daily closing. */
export interface MeteredPeriod {
  start: Date;
  end: Date;
  used: bigint;
  /** What is not charged: the limit, and what top-ups have paid for. */
  included: bigint;
  unitRate: string;
}

export interface Turned {
  row: Counted;
  days: ClosedDay[];
  periods: MeteredPeriod[];
}

/**
 * Closes every day and every period of a quota that is over, in their order (R17). A counter begins its period at nothing,
 * with what its top-ups carry over, under the terms that waited for it. Days and periods turn at local midnight, in the
 * zone that holds when they do.
 */
export function turned(held: Counted, now: Date): Turned {
  const row = { ...held };
  const [days, periods]: [ClosedDay[], MeteredPeriod[]] = [[], []];
  for (let at = nextTurn(row); at && at <= now; at = nextTurn(row)) {
    const isDayOver = row.dayEndsAt?.getTime() === at.getTime();
    if (isDayOver) days.push(closeDay(row));
    if (row.periodEnd?.getTime() === at.getTime()) {
      const metered = meteredIn(row);
      if (metered) periods.push(metered);
      beginPeriod(row, at, monthlyPeriod(at, row.anchorDay, row.zone).end);
    }
    if (isDayOver) beginDay(row, at);
  }
  if (!row.periodEnd) {
    const { start, end } = monthlyPeriod(now, row.anchorDay, row.zone);
    beginPeriod(row, start, end);
  }
  if (!row.dayEndsAt) beginDay(row, now);
  return { row, days: days.slice(-MAX_DAYS), periods };
}

/**
 * What a quota goes by once its licence says something else. A counter that would be allowed less goes on as it is until
 * its period ends (NEXT_PERIOD of R15); everything else holds at once, and takes the place of what waited.
 * @param since from when the licence says so: what it said when the period began, the period goes by.
 */
export function termsAfter(
  held: Pick<Counted, 'kind' | 'periodStart'> & QuotaTerms,
  said: QuotaTerms,
  since: Date,
): { terms: QuotaTerms; next: QuotaTerms | null } {
  const isWithinPeriod = held.kind === 'COUNTER' && held.periodStart !== null && held.periodStart < since;
  return isWithinPeriod && allowsLess(said, held) ? { terms: held, next: said } : { terms: said, next: null };
}

function nextTurn({ dayEndsAt, periodEnd }: Counted): Date | null {
  if (!dayEndsAt || !periodEnd) return dayEndsAt ?? periodEnd;
  return dayEndsAt < periodEnd ? dayEndsAt : periodEnd;
}

function closeDay(row: Counted): ClosedDay {
  row.highestClosing = most(row.highestClosing, row.used);
  return { date: row.day as string, added: row.dayAdded, closing: row.used, peak: row.dayPeak };
}

function beginDay(row: Counted, at: Date): void {
  const day = localDate(at, row.zone);
  Object.assign(row, { day, dayEndsAt: startOfDay(nextDate(day), row.zone), dayAdded: 0n, dayPeak: row.used });
}

function beginPeriod(row: Counted, start: Date, end: Date): void {
  Object.assign(row, { periodStart: start, periodEnd: end, highestClosing: 0n });
  if (row.kind === 'GAUGE') return;
  const topUps = carriedOver(row.topUps, start);
  Object.assign(row, { used: 0n, toppedUp: 0n, reported: 0n, warned: [], topUps, ...row.next, next: null });
}

function meteredIn(row: Counted): MeteredPeriod | null {
  const { limit, policy, unitRate, periodStart, periodEnd } = row;
  if (limit === null || policy !== 'OVERAGE' || unitRate === null || !periodStart || !periodEnd) return null;
  const used = row.kind === 'COUNTER' ? row.used : row.highestClosing;
  return { start: periodStart, end: periodEnd, used, included: limit + row.toppedUp, unitRate };
}
