export type TokenKeyState = 'NEXT' | 'ACTIVE' | 'RETIRING' | 'RETIRED';

const HOUR_MS = 3_600_000;
/** How long a key is published before it signs, so that every verifier has met it. */
const PUBLISHED_MS = 24 * HOUR_MS;
const ACTIVE_MS = 30 * 24 * HOUR_MS;
/** The longest token and the clocks' difference, with room to spare. */
const RETIRING_MS = HOUR_MS;

export interface KeyFacts {
  kid: string;
  state: TokenKeyState;
  madeAt: Date;
  activeAt?: Date | null;
  retiringAt?: Date | null;
}

/** What is due with the keys (identity R21). */
export interface KeyPlan {
  make: 'ACTIVE' | 'NEXT' | null;
  /** The NEXT one that takes over; the ACTIVE one then goes RETIRING. */
  activate: string | null;
  retire: string[];
}

const isOver = (since: Date | null | undefined, ms: number, now: Date) =>
  since != null && now.getTime() - since.getTime() >= ms;

/** Plans the keys' next moves: the first is made when none signs, its successor a day before it is needed. */
export function planKeys(keys: readonly KeyFacts[], now: Date): KeyPlan {
  const active = keys.find((key) => key.state === 'ACTIVE');
  const next = keys.find((key) => key.state === 'NEXT');
  const retire = keys.filter((key) => key.state === 'RETIRING' && isOver(key.retiringAt, RETIRING_MS, now));
  const isAged = !active || isOver(active.activeAt, ACTIVE_MS, now);
  const isNextNeeded = !next && isOver(active?.activeAt, ACTIVE_MS - PUBLISHED_MS, now);
  return {
    make: !active && !next ? 'ACTIVE' : isNextNeeded ? 'NEXT' : null,
    activate: next && isAged && (!active || isOver(next.madeAt, PUBLISHED_MS, now)) ? next.kid : null,
    retire: retire.map((key) => key.kid),
  };
}

export const isIdle = (plan: KeyPlan): boolean => !plan.make && !plan.activate && plan.retire.length === 0;
