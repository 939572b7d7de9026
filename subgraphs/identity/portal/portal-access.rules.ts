import { Refusal } from '../../../schema/errors.ts';
import type { RoleKey } from '../../../schema/permissions.ts';
import type { MembershipState } from '../membership.rules.ts';

/** Portal accounts of one customer that may be open. */
export const MAX_PORTAL_ACCOUNTS = 20;

/** Who speaks for their ISP's account with the platform. */
const SPEAKERS: readonly string[] = ['tenant_admin', 'billing_manager'] satisfies RoleKey[];

export const speaksForAccount = ({ state, roles }: { state: MembershipState; roles: readonly string[] }): boolean =>
  state === 'ACTIVE' && roles.some((role) => SPEAKERS.includes(role));

/** Refuses LIMIT_REACHED for one account more than a customer may have, INVALID_STATE for a customer who has left. */
export function checkRoomForAccount(customer: { isClosed: boolean }, open: number): void {
  if (customer.isClosed) throw new Refusal('INVALID_STATE', 'This customer is closed.', 'customerId');
  if (open >= MAX_PORTAL_ACCOUNTS)
    throw new Refusal('LIMIT_REACHED', `A customer has at most ${MAX_PORTAL_ACCOUNTS} portal accounts.`, 'customerId');
}
