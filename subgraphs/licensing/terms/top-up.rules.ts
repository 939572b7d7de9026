import type { QuotaKey } from '../../../schema/features.ts';
import type { TopUp } from '../../_kernel/quota.rules.ts';

/** A one-off allowance on a counter, as it was granted. */
export interface TopUpFacts {
  id: string;
  key: QuotaKey;
  amount: bigint;
  priority: number;
  startsAt: Date;
  expiresAt: Date | null;
  rolloverMax: bigint;
}

/** What top-ups in force were granted of a quota, whatever is left of them; null without any. */
export function toppedUpAt(topUps: readonly TopUpFacts[], key: QuotaKey, now: Date): bigint | null {
  const inForce = topUps.filter(
    (topUp) => topUp.key === key && topUp.startsAt <= now && (!topUp.expiresAt || now < topUp.expiresAt),
  );
  return inForce.length === 0 ? null : inForce.reduce((sum, { amount }) => sum + amount, 0n);
}

/** The top-ups a counter shall hold: those it holds keep what is left of them, others come whole, ended ones go. */
export function topUpsFor(
  topUps: readonly TopUpFacts[],
  key: QuotaKey,
  held: readonly Pick<TopUp, 'grantId' | 'remaining'>[],
  now: Date,
): TopUp[] {
  const left = new Map(held.map(({ grantId, remaining }) => [grantId, remaining]));
  return topUps
    .filter((topUp) => topUp.key === key && (!topUp.expiresAt || now < topUp.expiresAt))
    .map(({ id, amount, priority, startsAt, expiresAt, rolloverMax }) => ({
      ...{ grantId: id, remaining: left.get(id) ?? amount, priority, startsAt, expiresAt, rolloverMax },
    }));
}
