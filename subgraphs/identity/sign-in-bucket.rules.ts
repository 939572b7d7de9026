const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface Bucket {
  /** Attempts since `firstAt` that have not proved right. */
  failures: number;
  firstAt: Date | null;
  lastAt: Date | null;
  lockedUntil: Date | null;
  /** Locks in a row. */
  locks: number;
}

export interface BucketPolicy {
  /** The attempt that locks. */
  most: number;
  withinMinutes: number;
  /** How long the first, second, ... lock lasts; the last figure holds on. */
  lockMinutes: readonly [number, ...number[]];
}

/** Five attempts at one mail within half an hour lock it for 15, then 30, then 60 minutes (identity R10). */
export const MAIL_POLICY: BucketPolicy = { most: 5, withinMinutes: 30, lockMinutes: [15, 30, 60] };
/** Thirty failures from one address within ten minutes shut it out for ten. */
export const ADDRESS_POLICY: BucketPolicy = { most: 30, withinMinutes: 10, lockMinutes: [10] };
/** Ten wrong codes of one person within an hour lock codes for a quarter of one (identity R12). */
export const FACTOR_POLICY: BucketPolicy = { most: 10, withinMinutes: 60, lockMinutes: [15] };

export const isLocked = (held: Bucket, now: Date): boolean => held.lockedUntil !== null && held.lockedUntil > now;

/**
 * Counts an attempt before it is checked. The attempt that reaches the limit is still checked, but locks at once, so
 * that a crowd arriving together gets no more tries than a line. After a lock counting begins anew; a day without
 * attempts forgets earlier locks. Call it for a bucket that is not locked.
 */
export function claim(held: Bucket, policy: BucketPolicy, now: Date): Bucket {
  const isInWindow =
    held.firstAt !== null &&
    held.lockedUntil === null &&
    now.getTime() - held.firstAt.getTime() < policy.withinMinutes * MINUTE_MS;
  const isForgotten = held.lastAt !== null && now.getTime() - held.lastAt.getTime() >= DAY_MS;
  const locks = isForgotten ? 0 : held.locks;
  const failures = isInWindow ? held.failures + 1 : 1;
  const firstAt = isInWindow ? held.firstAt : now;
  if (failures < policy.most) return { failures, firstAt, lastAt: now, lockedUntil: null, locks };
  const minutes = policy.lockMinutes[Math.min(locks, policy.lockMinutes.length - 1)] ?? policy.lockMinutes[0];
  return {
    failures,
    firstAt,
    lastAt: now,
    lockedUntil: new Date(now.getTime() + minutes * MINUTE_MS),
    locks: locks + 1,
  };
}

/** Takes one counted attempt back, and the lock it made: it was right, or it was never checked. */
export function giveBack(held: Bucket, policy: BucketPolicy): Bucket {
  const failures = Math.max(0, held.failures - 1);
  const isLockUndone = held.lockedUntil !== null && failures < policy.most;
  return {
    ...held,
    failures,
    lockedUntil: isLockUndone ? null : held.lockedUntil,
    locks: isLockUndone ? held.locks - 1 : held.locks,
  };
}
