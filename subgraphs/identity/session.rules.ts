import type { MembershipKind } from './membership.rules.ts';
import { maySignIn } from './user.rules.ts';

export type Transport = 'COOKIE' | 'BODY';
/** Password, code of an app, passkey, recovery code, another provider, a tenant's own provider. */
export type ProofMethod = 'PWD' | 'OTP' | 'KEY' | 'REC' | 'OAUTH' | 'SSO';
export type MustDo = 'ENROL_SECOND_FACTOR';
export type EndReason =
  | 'SIGNED_OUT'
  | 'ENDED_BY_OWNER'
  | 'TOO_MANY'
  | 'IDLE'
  | 'EXPIRED'
  | 'REUSED'
  | 'PASSWORD_CHANGED'
  | 'EMAIL_CHANGED'
  | 'POLICY'
  | 'FACTOR_CHANGED'
  | 'USER_SUSPENDED'
  | 'USER_ERASED'
  | 'MEMBERSHIP_SUSPENDED'
  | 'MEMBERSHIP_FROZEN'
  | 'MEMBERSHIP_ENDED'
  | 'TENANT_SUSPENDED'
  | 'PORTAL_CLOSED'
  | 'PROVIDER_OFF'
  | 'ENDED_BY_ADMIN';

/** What somebody is in a session: by their membership, or while none is chosen by whose people they are. */
export const kindOf = (realm: string, membership: { kind: MembershipKind } | null): MembershipKind =>
  membership?.kind ?? (realm === 'STAFF' ? 'STAFF' : 'PORTAL');

/** Sessions of one person that may be open; one more ends the one unused longest. */
export const MAX_SESSIONS = 10;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** What a tenant's policy says of times. */
export interface Lifetimes {
  idleMinutes: number;
  maxHours: number;
  portalIdleDays: number;
  portalMaxDays: number;
}

/** Where no tenant is chosen there is no policy to ask. */
export const DEFAULT_LIFETIMES: Lifetimes = { idleMinutes: 480, maxHours: 24, portalIdleDays: 30, portalMaxDays: 90 };
/** A platform administrator rests half an hour and works twelve at most, whatever the policy says (identity R8). */
const PLATFORM_ADMIN = { idle: 30, longest: 720 };

/** How long a session may rest, and how long it may last, minutes. */
export function lifetimeOf(
  kind: MembershipKind,
  roles: readonly string[],
  policy: Lifetimes,
): { idle: number; longest: number } {
  if (kind === 'PORTAL')
    return { idle: policy.portalIdleDays * DAY_MINUTES, longest: policy.portalMaxDays * DAY_MINUTES };
  const { idleMinutes: idle, maxHours } = policy;
  const longest = maxHours * 60;
  if (!roles.includes('platform_admin')) return { idle, longest };
  return { idle: Math.min(idle, PLATFORM_ADMIN.idle), longest: Math.min(longest, PLATFORM_ADMIN.longest) };
}

export interface SessionTimes {
  startedAt: Date;
  idleUntil: Date;
  endsAt: Date;
}

/** The times of a session used now. The end only ever moves nearer, and rest never lasts past it. */
export function timesOf(
  held: { startedAt: Date; endsAt?: Date },
  kind: MembershipKind,
  roles: readonly string[],
  policy: Lifetimes,
  now: Date,
): SessionTimes {
  const { idle, longest } = lifetimeOf(kind, roles, policy);
  const last = held.startedAt.getTime() + longest * MINUTE_MS;
  const end = Math.min(last, held.endsAt?.getTime() ?? last);
  return {
    startedAt: held.startedAt,
    endsAt: new Date(end),
    idleUntil: new Date(Math.min(end, now.getTime() + idle * MINUTE_MS)),
  };
}

/** Why a session is over by time, or null. */
export function overByTime(held: Pick<SessionTimes, 'idleUntil' | 'endsAt'>, now: Date): 'EXPIRED' | 'IDLE' | null {
  if (held.endsAt <= now) return 'EXPIRED';
  return held.idleUntil <= now ? 'IDLE' : null;
}

/** How long after a rotation the token before it is answered once more, milliseconds. */
const GRACE_MS = 10_000;

export type RefreshVerdict = 'ROTATE' | 'REPEAT' | 'REUSED' | 'UNKNOWN';

/**
 * What becomes of a refresh token with a right MAC (identity R8): the present one rotates; the one before it gets the
 * same answer again for ten seconds, so that parallel requests and lost answers do no harm; any older one was stolen.
 */
export function refreshVerdict(
  asked: number,
  held: { generation: number; rotatedAt: Date },
  now: Date,
): RefreshVerdict {
  if (asked > held.generation) return 'UNKNOWN';
  if (asked === held.generation) return 'ROTATE';
  const isInGrace = now.getTime() - held.rotatedAt.getTime() <= GRACE_MS;
  return asked === held.generation - 1 && isInGrace ? 'REPEAT' : 'REUSED';
}

/** The roles whose holders may still sign in where the tenant is suspended (identity R18). */
const ROLES_OF_SUSPENDED = ['tenant_admin', 'billing_manager'];

/** Whether a member with these roles may have a token for a tenant in this state. */
export const isTenantUsable = (state: string | null, roles: readonly string[]): boolean =>
  state === 'ACTIVE' ||
  state === 'CLOSING' ||
  (state === 'SUSPENDED' && roles.some((role) => ROLES_OF_SUSPENDED.includes(role)));

export interface Standing {
  userState: string;
  membership: { kind: MembershipKind; state: string; roles: readonly string[] } | null;
  tenantState: string | null;
  /** Whether the tenant's customers may serve themselves. */
  isPortalOpen: boolean;
}

/** Why a session cannot go on, or null: its person, its membership and its tenant, in that order. */
export function standingFault({ userState, membership, tenantState, isPortalOpen }: Standing): EndReason | null {
  if (!maySignIn(userState)) return 'USER_SUSPENDED';
  if (!membership) return null;
  if (userState !== 'ACTIVE') return 'MEMBERSHIP_SUSPENDED'; // into no tenant before the mail is proved
  if (membership.state === 'SUSPENDED') return 'MEMBERSHIP_SUSPENDED';
  if (membership.state === 'FROZEN') return 'MEMBERSHIP_FROZEN';
  if (membership.state !== 'ACTIVE') return 'MEMBERSHIP_ENDED';
  if (!isTenantUsable(tenantState, membership.roles)) return 'TENANT_SUSPENDED';
  return membership.kind === 'PORTAL' && !isPortalOpen ? 'PORTAL_CLOSED' : null;
}
