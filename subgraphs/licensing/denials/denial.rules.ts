import { badInput, DENIAL_REASONS } from '../../../schema/errors.ts';
import { isFeature } from '../../../schema/features.ts';
import { isId } from '../../../schema/ids.ts';

/** Days a denial is kept; after them its day's total is. */
export const KEPT_DAYS = 90;
/** A purchase within this time after the click counts as its consequence, days. */
export const BUYS_WITHIN_DAYS = 7;
/** A gateway sends its denials each second; one that is older than this and not there was never made, milliseconds. */
const ON_ITS_WAY_MS = 2_500;

/** A denial as a gateway tells it. */
export interface DenialFacts {
  id: string;
  tenantId: string;
  feature: string;
  coordinate: string;
  reason: string;
  plan?: string | null;
  actor?: string | null;
  at: Date;
  wasObserved: boolean;
}

const COORDINATE = /^[A-Za-z_]\w{0,126}\.[A-Za-z_]\w{0,126}$/;
const PLAN = /^[a-z][a-z0-9_]{1,31}$/;

/** Whether a denial can be written down. A gateway of another version may tell of what is not known here. */
export function isSound({ id, tenantId, feature, coordinate, reason, plan, actor }: DenialFacts): boolean {
  const isNamed =
    isFeature(feature) && COORDINATE.test(coordinate) && (DENIAL_REASONS as readonly string[]).includes(reason);
  return isNamed && isId(id) && isId(tenantId) && (actor == null || isId(actor)) && (plan == null || PLAN.test(plan));
}

/** Whether an id (UUIDv7, RFC 9562 section 5.7) was made so lately that its gateway may not have sent it yet. */
export function isOnItsWay(id: string, nowMs: number): boolean {
  const madeAt = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return id[14] === '7' && Math.abs(nowMs - madeAt) < ON_ITS_WAY_MS;
}

/** Whether who says that a feature is open was paid for it: a gift, a trial or an exception is no purchase. */
export const isPurchase = (source: string): boolean => source === 'PLAN' || source === 'ADD_ON';

/** Refuses with BAD_USER_INPUT a window that is longer than denials are kept. */
export function checkWindow(days: number): number {
  if (days < 1 || days > KEPT_DAYS) throw badInput(`A window has 1 to ${KEPT_DAYS} days.`);
  return days;
}

export interface DenialCounts {
  denials: number;
  clicked: number;
  bought: number;
}

/** What became of denials: the share that was clicked, and of those the share that was bought. Null of nothing. */
export const conversionOf = ({ denials, clicked, bought }: DenialCounts) => ({
  ...{ denials, clicked, bought },
  conversion: denials === 0 ? null : clicked / denials,
  purchase: clicked === 0 ? null : bought / clicked,
});
