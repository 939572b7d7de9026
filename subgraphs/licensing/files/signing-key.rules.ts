import { Refusal } from '../../../schema/errors.ts';

export type SigningKeyStatus = 'NEXT' | 'ACTIVE' | 'RETIRING' | 'RETIRED' | 'REVOKED';

/** Keys with which something that is still good may be signed, or soon will be. */
export const LIVE: readonly SigningKeyStatus[] = ['NEXT', 'ACTIVE', 'RETIRING'];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long a key is published before it signs, so that every installation has met it. */
const PUBLISHED_MS = 24 * HOUR_MS;
const ACTIVE_MS = 90 * DAY_MS;
/** The longest file lives 30 days. */
const RETIRING_MS = 31 * DAY_MS;

export interface KeyFacts {
  kid: string;
  status: SigningKeyStatus;
  madeAt: Date;
  /** When it takes over, or did. */
  activeAt: Date;
  retiringAt: Date | null;
}

/** What is due with the keys (R21). */
export interface KeyPlan {
  make: { status: 'ACTIVE' | 'NEXT'; activeAt: Date } | null;
  /** The NEXT one that takes over; the ACTIVE one then goes RETIRING. */
  activate: string | null;
  retire: string[];
}

const after = (at: Date, ms: number) => new Date(at.getTime() + ms);
const later = (a: Date, b: Date) => (a > b ? a : b);

/** Plans the keys' next moves: the first is made when none signs, its successor a day before its 90 days end. */
export function planKeys(keys: readonly KeyFacts[], now: Date): KeyPlan {
  const active = keys.find(({ status }) => status === 'ACTIVE');
  const next = keys.find(({ status }) => status === 'NEXT');
  const isDone = ({ status, retiringAt }: KeyFacts) =>
    status === 'RETIRING' && retiringAt !== null && now >= after(retiringAt, RETIRING_MS);
  const plan: KeyPlan = { make: null, activate: null, retire: keys.filter(isDone).map(({ kid }) => kid) };
  if (!active && !next) return { ...plan, make: { status: 'ACTIVE', activeAt: now } };
  if (next) return { ...plan, activate: !active || now >= next.activeAt ? next.kid : null };
  const end = after((active as KeyFacts).activeAt, ACTIVE_MS);
  if (now < after(end, -PUBLISHED_MS)) return plan;
  return { ...plan, make: { status: 'NEXT', activeAt: later(end, after(now, PUBLISHED_MS)) } };
}

/** When a key that was made at an instant may take over at the earliest. */
export const soonest = (madeAt: Date): Date => after(madeAt, PUBLISHED_MS);

/** Refuses to revoke a key that is revoked. */
export function checkRevocable({ status }: Pick<KeyFacts, 'status'>): void {
  if (status === 'REVOKED') throw new Refusal('INVALID_STATE', 'This signing key is revoked already.', 'kid');
}
