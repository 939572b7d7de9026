import { Refusal } from '../../../schema/errors.ts';
import type { UserState } from '../user.rules.ts';

const NEXT: Record<UserState, readonly UserState[]> = {
  INVITED: ['ACTIVE', 'ERASED'],
  UNPROVED: ['ACTIVE', 'ERASED'],
  ACTIVE: ['SUSPENDED', 'ERASED'],
  SUSPENDED: ['ACTIVE', 'ERASED'],
  ERASED: [],
};

/** Moves a person to a state, or refuses with INVALID_STATE. */
export function advancePerson(from: UserState, to: UserState): UserState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A person who is ${from} cannot become ${to}.`, 'state');
  return to;
}

/** Whom a link may give a new password: also who locked their own account, but not whom the platform suspended. */
export const mayReset = ({ state, isLockedByOwner }: { state: UserState; isLockedByOwner: boolean }): boolean =>
  state === 'ACTIVE' || state === 'UNPROVED' || (state === 'SUSPENDED' && isLockedByOwner);

/** What an erased person is called, wherever their id still stands. */
export const FORMER_USER = 'Former user';

/** How long a registration that is not proved is kept, days; an invitation likewise. */
export const UNPROVED_DAYS = 7;
