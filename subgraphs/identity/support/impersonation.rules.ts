import { forbidden, Refusal } from '../../../schema/errors.ts';
import { type Permission, WITHHELD_WHILE_ACTING } from '../../../schema/permissions.ts';
import { optionalText, text } from '../../../schema/words.ts';
import type { MembershipKind } from '../membership.rules.ts';
import type { SupportAccess } from '../policy/sign-in-policy.rules.ts';

export type ImpersonationMode = 'READ' | 'ACT';
export type ImpersonationState = 'WAITING' | 'LIVE' | 'REFUSED' | 'LAPSED' | 'ENDED';
/** Why one is over: by whom, or by time. */
export type ImpersonationEnd = 'BY_OPERATOR' | 'BY_TENANT' | 'REFUSED' | 'LAPSED' | 'EXPIRED' | 'OPERATOR_GONE';

/** How long one lasts from its start, and waits for an approval, milliseconds. */
export const LIVE_MS = 30 * 60_000;
export const WAITING_MS = 24 * 3_600_000;

const NEXT: Record<ImpersonationState, readonly ImpersonationState[]> = {
  WAITING: ['LIVE', 'REFUSED', 'LAPSED', 'ENDED'],
  LIVE: ['ENDED'],
  REFUSED: [],
  LAPSED: [],
  ENDED: [],
};

export const isOpen = (state: ImpersonationState): boolean => NEXT[state].length > 0;

/** Moves an impersonation to a state, or refuses with INVALID_STATE. */
export function advanceImpersonation(from: ImpersonationState, to: ImpersonationState): ImpersonationState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `An impersonation that is ${from} cannot become ${to}.`, 'state');
  return to;
}

/** Support of the platform in an ISP, or an ISP's own staff with a subscriber of theirs. */
export type OperatorKind = 'PLATFORM' | 'ISP';

export interface AskedTerms {
  mode: ImpersonationMode;
  reason: string;
  ticket?: string | null;
}

/**
 * Why and how somebody wants to see what another person sees. Refuses INVALID without a reason of 10 to 500 characters,
 * without a ticket where the platform asks, and for an ISP's staff anything but READ.
 */
export function checkTerms(asked: AskedTerms, operator: OperatorKind): Required<AskedTerms> {
  const reason = text(asked.reason, 500, 'reason', { name: 'A reason', min: 10 });
  const ticket = optionalText(asked.ticket, 60, 'ticket', { name: 'A ticket' });
  if (operator === 'PLATFORM' && ticket === null)
    throw new Refusal('INVALID', 'Name the ticket this is about.', 'ticket');
  if (operator === 'ISP' && asked.mode !== 'READ')
    throw new Refusal('INVALID', "A subscriber's portal can only be looked at.", 'mode');
  return { mode: asked.mode, reason, ticket };
}

/**
 * Whether an impersonation is LIVE at once or WAITING for an approval (identity R17). An ISP's own staff may look at their
 * subscribers' portals; the platform's support is let in as the tenant's policy says, and to act always needs approval.
 * Throws FORBIDDEN where the tenant wants no support.
 */
export function firstState(operator: OperatorKind, mode: ImpersonationMode, access: SupportAccess): 'WAITING' | 'LIVE' {
  if (operator === 'ISP') return 'LIVE';
  if (access === 'NEVER') throw forbidden('This tenant lets nobody of support in.');
  return access === 'ALWAYS' && mode === 'READ' ? 'LIVE' : 'WAITING';
}

/** Whose eyes an operator may look through: an ISP's staff their subscribers' alone. */
export const kindsFor = (operator: OperatorKind): MembershipKind[] =>
  operator === 'ISP' ? ['PORTAL'] : ['STAFF', 'PORTAL'];

/** What is left of a person's permissions to whoever acts in their name. */
export const leftWhileActing = (held: readonly Permission[]): Permission[] =>
  held.filter((permission) => !WITHHELD_WHILE_ACTING.includes(permission));

/** What time makes of an open impersonation: LAPSED, ENDED, or null while it goes on. */
export function dueState(state: ImpersonationState, endsAt: Date, now: Date): 'LAPSED' | 'ENDED' | null {
  if (!isOpen(state) || endsAt > now) return null;
  return state === 'WAITING' ? 'LAPSED' : 'ENDED';
}
