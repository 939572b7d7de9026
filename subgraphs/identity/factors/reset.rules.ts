import { forbidden, Refusal } from '../../../schema/errors.ts';
import type { MembershipKind } from '../membership.rules.ts';

/** How long the second person has, milliseconds. */
const WAIT_MS = 3_600_000;

export interface ResetFacts {
  askerId: string | null;
  /** Whether the asker is of the platform. */
  isPlatform: boolean;
  member: { userId: string; kind: MembershipKind };
  /** Whether the member is staff of the asker's tenant and nothing anywhere else. */
  isOwnAlone: boolean;
  /** Who asked for the same before. */
  waiting: { askedBy: string; askedAt: Date } | null;
}

/**
 * What becomes of a reset that is asked for: a tenant resets its own staff; people who are also elsewhere, and customers,
 * are the platform's to reset, and it takes two of its people. Throws FORBIDDEN for oneself, refuses INVALID_STATE for whom
 * only the platform may reset.
 */
export function resetVerdict(facts: ResetFacts, now: Date): 'RESET' | 'WAIT' {
  const { askerId, isPlatform, member, isOwnAlone, waiting } = facts;
  if (askerId === member.userId) throw forbidden('Somebody else has to reset your second factor.');
  if (isOwnAlone && member.kind === 'STAFF') return 'RESET';
  if (!isPlatform)
    throw new Refusal(
      'INVALID_STATE',
      'This person is not of your staff alone. Please ask the platform.',
      'membershipId',
    );
  const isSecond = waiting && waiting.askedBy !== askerId && now.getTime() - waiting.askedAt.getTime() <= WAIT_MS;
  return isSecond ? 'RESET' : 'WAIT';
}
