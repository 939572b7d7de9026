import { domainToASCII } from 'node:url';
import { parse } from 'tldts';
import { Refusal } from '../../../schema/errors.ts';

export type DomainState = 'PENDING' | 'VERIFIED' | 'ACTIVE' | 'EXPIRED' | 'LOST' | 'RELEASED';
export type CertificateState = 'NONE' | 'PENDING' | 'ISSUED' | 'FAILED' | 'EXPIRING';
export type ProofMethod = 'DNS_TXT' | 'DNS_CNAME';

const NEXT: Record<DomainState, readonly DomainState[]> = {
  PENDING: ['VERIFIED', 'EXPIRED', 'RELEASED'],
  VERIFIED: ['ACTIVE', 'LOST', 'RELEASED'],
  ACTIVE: ['LOST', 'RELEASED'],
  LOST: ['VERIFIED', 'RELEASED'],
  EXPIRED: ['RELEASED'],
  RELEASED: [],
};

/** Moves a domain to a state, or refuses with INVALID_STATE. */
export function advance(from: DomainState, to: DomainState): DomainState {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `A domain that is ${from} cannot become ${to}.`);
  return to;
}

/** Custom domains a tenant has at once. */
export const MAX_CUSTOM = 10;
/** What a name takes up of those: it is claimed, held, or may come back. */
export const TAKING: readonly DomainState[] = ['PENDING', 'VERIFIED', 'ACTIVE', 'LOST'];

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host in lower-case ASCII. Refuses with INVALID what nobody can own: addresses, single labels, public suffixes, the
 * platform's own names, and what is no host alone.
 */
export function hostOf(typed: string, ownNames: readonly string[]): string {
  const none = new Refusal('INVALID', 'This is not a domain name you can own.', 'host');
  const clean = typed.trim();
  if (/[\p{Cc}\s/:@?#\\%[\]*]/u.test(clean)) throw none;
  const host = domainToASCII(clean).toLowerCase().replace(/\.$/, '');
  const { isIp, domain } = parse(host, { allowPrivateDomains: true });
  const isSound = host.length <= 253 && host.includes('.') && host.split('.').every((label) => LABEL.test(label));
  if (!isSound || isIp || domain === null || /^\d+$/.test(host.split('.').at(-1) ?? '')) throw none;
  if (ownNames.some((own) => host === own || host.endsWith(`.${own}`))) throw none;
  return host;
}

/** The DNS record that proves a host: a challenge of its own, or that it leads to the tenant's platform name. */
export const recordOf = (host: string, method: ProofMethod, platformName: string, challenge: string) =>
  method === 'DNS_TXT'
    ? { recordName: `_isp-challenge.${host}`, recordValue: `isp-verify=${challenge}` }
    : { recordName: host, recordValue: platformName };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How long a claim may go unproved, and a lost name be proved again. */
export const PROVE_MS = 72 * HOUR_MS;
const FIRST_CHECKS_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
/** Daily checks in a row after which a name is lost. */
const FAILURES = 3;

/** When a claim is looked at next: after 1, 5 and 15 minutes, then hourly. */
export const nextPendingCheck = (createdAt: Date, checks: number, now: Date): Date => {
  const planned = FIRST_CHECKS_MS[checks];
  return planned === undefined ? new Date(now.getTime() + HOUR_MS) : new Date(createdAt.getTime() + planned);
};

export interface Standing {
  state: DomainState;
  failedChecks: number;
  checks: number;
  createdAt: Date;
  expiresAt?: Date | null;
}

export interface Verdict {
  state: DomainState;
  checks: number;
  failedChecks: number;
  expiresAt: Date | null;
  nextCheckAt: Date | null;
}

/**
 * What a check makes of a domain (R10). A claim has 72 hours; a held name is looked at daily, lost after three failures
 * in a row, and released when it is not proved again within 72 hours.
 * @param isProved whether the record was seen, and nobody else holds the host.
 * @param isScheduled by its own plan: a failed look somebody asked for in between counts for nothing.
 */
export function afterCheck(held: Standing, isProved: boolean, now: Date, isScheduled = true): Verdict {
  const { state, expiresAt = null } = held;
  const isLate = expiresAt !== null && expiresAt <= now;
  const checks = held.checks + (isScheduled ? 1 : 0);
  const tomorrow = new Date(now.getTime() + DAY_MS);
  if (isProved && (state === 'ACTIVE' || !isLate))
    return {
      ...{ checks, failedChecks: 0, expiresAt: null },
      nextCheckAt: state === 'ACTIVE' ? tomorrow : new Date(now.getTime() + HOUR_MS), // its certificate is awaited
      state: state === 'ACTIVE' ? 'ACTIVE' : state === 'VERIFIED' ? 'VERIFIED' : advance(state, 'VERIFIED'),
    };
  if (state === 'PENDING' || state === 'LOST') {
    const after = state === 'PENDING' ? 'EXPIRED' : 'RELEASED';
    if (isLate) return { state: advance(state, after), checks, failedChecks: 0, expiresAt, nextCheckAt: null };
    const nextCheckAt = nextPendingCheck(held.createdAt, state === 'LOST' ? FIRST_CHECKS_MS.length : checks, now);
    return { state, checks, failedChecks: 0, expiresAt, nextCheckAt };
  }
  const failedChecks = held.failedChecks + (isScheduled ? 1 : 0);
  if (failedChecks < FAILURES) return { state, checks, failedChecks, expiresAt: null, nextCheckAt: tomorrow };
  return {
    ...{ state: advance(state, 'LOST'), checks, failedChecks },
    expiresAt: new Date(now.getTime() + PROVE_MS),
    nextCheckAt: new Date(now.getTime() + HOUR_MS),
  };
}

/** How long before its end a certificate is replaced. */
const RENEW_MS = 30 * DAY_MS;

/** A certificate as it stands: what is issued runs out some day. */
export function certificateAt(endsAt: Date | null, now: Date): CertificateState {
  if (!endsAt || endsAt <= now) return 'PENDING';
  return endsAt.getTime() - now.getTime() <= RENEW_MS ? 'EXPIRING' : 'ISSUED';
}
