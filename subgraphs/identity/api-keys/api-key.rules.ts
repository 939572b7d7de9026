import ipaddr from 'ipaddr.js';
import { forbidden, Refusal } from '../../../schema/errors.ts';
import { isPermission, type Permission } from '../../../schema/permissions.ts';
import { text } from '../../../schema/words.ts';

export type ApiKeyState = 'ACTIVE' | 'ROTATING' | 'RETIRED' | 'REVIEW' | 'SUSPENDED' | 'REVOKED' | 'EXPIRED';

const NEXT: Record<ApiKeyState, readonly ApiKeyState[]> = {
  ACTIVE: ['ROTATING', 'REVIEW', 'REVOKED', 'EXPIRED'],
  ROTATING: ['RETIRED', 'REVOKED', 'EXPIRED'],
  REVIEW: ['ACTIVE', 'SUSPENDED', 'ROTATING', 'REVOKED', 'EXPIRED'],
  SUSPENDED: ['ACTIVE', 'REVOKED', 'EXPIRED'],
  RETIRED: [],
  REVOKED: [],
  EXPIRED: [],
};

/** Moves a key to a state, or refuses with INVALID_STATE. */
export function advanceKey(from: ApiKeyState, to: ApiKeyState): ApiKeyState {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `A key that is ${from} cannot become ${to}.`, 'id');
  return to;
}

/** States in which a key opens doors. */
export const WORKING: readonly ApiKeyState[] = ['ACTIVE', 'ROTATING', 'REVIEW'];
/** States a key can still come back from, which count towards the most a tenant may have. */
export const LIVE: readonly ApiKeyState[] = [...WORKING, 'SUSPENDED'];
export const MAX_KEYS = 100;

const MAX_SCOPES = 60;
const MAX_ADDRESSES = 20;
const DAY_MS = 86_400_000;
const MAX_DAYS = 731;
const DEFAULT_DAYS = 365;

/** Rights no key carries, whoever makes it (identity R14). */
const NEVER = [/^identity\./, /^tenancy\.tenant\./, /^tenancy\.purge\./, /^licensing\.license\.change$/];

export interface AskedKey {
  name: string;
  scopes: readonly string[];
  addresses: readonly string[];
  requestsPerSecond: number;
  expiresAt?: Date | null;
}

export interface KeyTerms {
  name: string;
  scopes: Permission[];
  addresses: string[];
  requestsPerSecond: number;
  expiresAt: Date;
}

const invalid = (sentence: string, field: string) => new Refusal('INVALID', sentence, field);

/**
 * What a key shall carry, checked; without an end it lasts a year. Refuses INVALID with the field; throws FORBIDDEN for a
 * right its maker does not hold.
 */
export function checkKey(asked: AskedKey, holds: (permission: Permission) => boolean, now: Date): KeyTerms {
  const name = text(asked.name, 80, 'name', { name: 'A name' });
  const scopes = checkScopes(asked.scopes, holds);
  if (asked.addresses.length > MAX_ADDRESSES)
    throw invalid(`A key is bound to at most ${MAX_ADDRESSES} networks.`, 'addresses');
  const { requestsPerSecond } = asked;
  if (requestsPerSecond < 1 || requestsPerSecond > 100)
    throw invalid('A key makes 1 to 100 requests a second.', 'requestsPerSecond');
  const expiresAt = asked.expiresAt ?? new Date(now.getTime() + DEFAULT_DAYS * DAY_MS);
  const days = (expiresAt.getTime() - now.getTime()) / DAY_MS;
  if (!(days > 0 && days <= MAX_DAYS)) throw invalid('A key lasts at most 2 years, from now on.', 'expiresAt');
  return { name, scopes, addresses: [...new Set(asked.addresses.map(network))], requestsPerSecond, expiresAt };
}

function checkScopes(asked: readonly string[], holds: (permission: Permission) => boolean): Permission[] {
  const scopes = [...new Set(asked)];
  if (scopes.length < 1 || scopes.length > MAX_SCOPES) throw invalid(`A key has 1 to ${MAX_SCOPES} scopes.`, 'scopes');
  return scopes.map((scope) => {
    if (!isPermission(scope)) throw invalid(`There is no permission ${scope.slice(0, 80)}.`, 'scopes');
    if (NEVER.some((never) => never.test(scope))) throw invalid(`No key carries ${scope}.`, 'scopes');
    if (!holds(scope)) throw forbidden('Nobody gives a right they do not hold.');
    return scope;
  });
}

/** A network in CIDR notation, its host bits cleared; an address alone is a network of one. INVALID for anything else. */
function network(typed: string): string {
  try {
    const clean = typed.trim();
    const [address, bits] = clean.includes('/')
      ? ipaddr.parseCIDR(clean)
      : [ipaddr.parse(clean), ipaddr.parse(clean).kind() === 'ipv4' ? 32 : 128];
    const first =
      address.kind() === 'ipv4'
        ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`)
        : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`);
    return `${first.toString()}/${bits}`;
  } catch {
    throw invalid('A network looks like 192.0.2.0/24 or 2001:db8::/32.', 'addresses');
  }
}

export interface KeyFacts {
  state: ApiKeyState;
  expiresAt: Date;
  retiresAt: Date | null;
  reviewSince: Date | null;
  warnedDays: number | null;
}

/** Days before its end a key's end is told. */
const WARNINGS = [30, 7, 1];
/** How long a key whose maker can no longer answer for it goes on until somebody else does, days. */
const REVIEW_DAYS = 14;

const daysBefore = (at: Date, days: number) => new Date(at.getTime() - days * DAY_MS);
const daysAfter = (at: Date, days: number) => new Date(at.getTime() + days * DAY_MS);

export type KeyMove = { at: Date; move: 'EXPIRE' | 'RETIRE' | 'SUSPEND' } | { at: Date; move: 'WARN'; days: number };

/** What time will do to a key next, or null when nothing is left to do. */
export function nextMoveOf(key: KeyFacts): KeyMove | null {
  if (!LIVE.includes(key.state)) return null;
  const moves: KeyMove[] = [{ at: key.expiresAt, move: 'EXPIRE' }];
  if (key.state === 'ROTATING' && key.retiresAt) moves.push({ at: key.retiresAt, move: 'RETIRE' });
  if (key.state === 'REVIEW' && key.reviewSince)
    moves.push({ at: daysAfter(key.reviewSince, REVIEW_DAYS), move: 'SUSPEND' });
  const days = WARNINGS.find((one) => key.warnedDays === null || one < key.warnedDays);
  if (days !== undefined && key.state !== 'ROTATING')
    moves.push({ at: daysBefore(key.expiresAt, days), move: 'WARN', days });
  return moves.reduce((first, other) => (other.at < first.at ? other : first));
}
