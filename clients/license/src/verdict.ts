import { DAY_S, type LicenseFile, OFFLINE_READ_DAYS, type Reason } from './judge.ts';
import type { Heard } from './memory.ts';

export type Access = 'NONE' | 'READ' | 'FULL';

/** Whether a feature is open, and if not, why. */
export interface Check {
  access: Access;
  reason: string | null;
}

/** A limit in the base unit of its quota; null is without end. */
export interface Limit {
  limit: bigint | null;
  policy: 'HARD' | 'SOFT' | 'OVERAGE';
  softMarginPercent: number;
  overageCap: bigint | null;
}

/** A limit as it travels. */
interface SaidLimit extends Omit<Limit, 'limit' | 'overageCap'> {
  limit: string | null;
  overageCap: string | null;
}

/** What a licence says at an instant. */
export interface Said {
  state: string;
  core: Access;
  /** Why the core is not open in full. */
  coreReason?: string | null;
  features: Readonly<Record<string, { access: Access; reason?: string | null }>>;
  limits: Readonly<Record<string, SaidLimit>> | null;
}

/** The licence as the platform has just told it. */
export interface Told extends Said {
  version: number;
}

export interface Verdict {
  /** State of the licence, or NONE where nothing acceptable says one. */
  state: string;
  source: 'ONLINE' | 'FILE' | 'OFFLINE_GRACE' | 'NONE';
  /** Why there is no acceptable file; null while there is one. */
  reason: Reason | null;
  /** How long ago what it rests on was heard or issued; null with source NONE. */
  ageSeconds: number | null;
  /** What an operator should know, in sentences. */
  warnings: string[];
}

/** What answers are given from. */
export interface Standing extends Pick<Verdict, 'state' | 'source' | 'reason'> {
  said: Said | null;
  limits: Said['limits'];
  /** No gated feature opens further. */
  cap: Access;
  /** What capped them. */
  because: string | null;
}

export interface Basis {
  file: LicenseFile | null;
  /** Why there is no file. */
  reason: Reason | null;
  /** The platform's word, while it is heard. */
  told: Told | null;
  /** The last word that was heard, also long ago. */
  heard: Heard | null;
  /** Milliseconds since 1970. */
  now: number;
}

/** The state of a tenant that has no licence, or none any more. */
export const NO_LICENSE = 'NONE';
/** What a state that was heard leaves of gated features. */
const CLOSED: Readonly<Record<string, Access>> = {
  ...{ RESTRICTED: 'READ', SUSPENDED: 'NONE', EXPIRED: 'NONE', REVOKED: 'NONE', [NO_LICENSE]: 'NONE' },
};

/** Where a licence stands: heard, read in its file, or at its end. */
export function standingOf({ file, reason, told, heard, now }: Basis): Standing {
  const said = file && turnAt(file, now);
  const open = { reason: null, cap: 'FULL', because: null } as const;
  if (told) {
    // A file of the version that was heard says all that version says, also what time will change.
    const isWhole = file && told.state !== NO_LICENSE && file.ver >= told.version && now < file.exp * 1_000;
    const best = (isWhole && said) || told;
    return { ...open, source: 'ONLINE', state: best.state, said: best, limits: best.limits ?? said?.limits ?? null };
  }
  if (!file || !said) return none(reason ?? 'NO_FILE');
  const { cap, because, ...rest } = heard && isOutdated(file, heard) ? closedBy(heard, said) : { ...open, said };
  const at = { ...rest, state: rest.said.state, limits: said.limits, reason: null };
  const graceEnd = (file.exp + file.offlineGraceDays * DAY_S) * 1_000;
  if (now < file.exp * 1_000) return { ...at, cap, because, source: 'FILE' };
  if (now < graceEnd) return { ...at, cap, because, source: 'OFFLINE_GRACE' };
  if (now >= graceEnd + OFFLINE_READ_DAYS * DAY_S * 1_000) return none('ENDED');
  return { ...at, source: 'OFFLINE_GRACE', cap: least(cap, 'READ'), because: because ?? 'OFFLINE' };
}

/** Whether something was heard that the file does not know of. */
const isOutdated = ({ ver }: LicenseFile, { version, state }: Heard) =>
  state === NO_LICENSE ? version >= ver : version > ver;

/** What was heard closes what an older file would open: cutting the network lifts no suspension. */
function closedBy({ state }: Heard, said: Said): { cap: Access; because: string | null; said: Said } {
  const cap = Object.hasOwn(CLOSED, state) ? CLOSED[state] : undefined;
  if (!cap) return { cap: 'FULL', because: null, said };
  return {
    cap,
    because: state,
    said: { ...said, state, core: state === NO_LICENSE ? 'FULL' : 'READ', coreReason: null },
  };
}

const none = (reason: Reason): Standing => {
  return { source: 'NONE', state: 'NONE', reason, said: null, limits: null, cap: 'NONE', because: reason };
};

/** What a file says at an instant; the skew of clocks may put it a little before the first turn. */
const turnAt = (file: LicenseFile, now: number): Said | null =>
  file.course.findLast(({ from }) => from <= now) ?? file.course[0] ?? null;

const RANK: readonly Access[] = ['NONE', 'READ', 'FULL'];
const least = (a: Access, b: Access): Access => (RANK.indexOf(a) < RANK.indexOf(b) ? a : b);

/** The answer for one feature; `core` is everything that is not gated. */
export function checkIn({ said, cap, because }: Standing, feature: string): Check {
  if (feature === 'core') {
    const access = said?.core ?? 'FULL';
    return { access, reason: access === 'FULL' ? null : (said?.coreReason ?? String(said?.state)) };
  }
  if (!said) return { access: 'NONE', reason: because };
  const found = Object.hasOwn(said.features, feature) ? said.features[feature] : undefined;
  if (!found) return { access: 'NONE', reason: 'NOT_IN_PLAN' };
  const access = least(found.access, cap);
  return { access, reason: access === found.access ? (found.reason ?? null) : because };
}

const NOTHING: Limit = { limit: 0n, policy: 'HARD', softMarginPercent: 0, overageCap: null };

/** The limit of one quota; where nothing says one, none may be added. */
export function limitIn({ limits }: Standing, key: string): Limit {
  const found = limits && Object.hasOwn(limits, key) ? limits[key] : undefined;
  if (!found) return { ...NOTHING };
  const amount = (digits: string | null) => (digits === null ? null : BigInt(digits));
  const { policy, softMarginPercent } = found;
  return { limit: amount(found.limit), policy, softMarginPercent, overageCap: amount(found.overageCap) };
}
