import { Refusal } from '../../schema/errors.ts';
import type { MembershipState } from './membership.rules.ts';
import { isTenantUsable } from './session.rules.ts';

/** The one answer to whatever is wrong with a sign-in, the same letter for letter. */
export const wrongProof = () => new Refusal('INVALID', 'E-mail or password is not right.');
/** The one answer to whatever is wrong with a refresh token. */
export const signInAgain = () => new Refusal('INVALID', 'Please sign in again.');

/** For a frozen member who asks for the tenant. */
export const noSeat = (field: string) =>
  new Refusal('INVALID_STATE', 'The plan of this tenant has no seat for you now.', field);

/** For the people of a portal that is closed. */
export const portalClosed = (field?: string) =>
  new Refusal('INVALID_STATE', 'The portal is closed at the moment.', field);

/** For a member who works here and yet cannot come in. */
export const shutOut = ({ isClosed }: Candidate, field: string) =>
  isClosed
    ? portalClosed(field)
    : new Refusal('INVALID_STATE', 'This tenant is suspended. Its administrators can sign in.', field);

export interface Candidate {
  id: string;
  slug: string;
  tenantState: string;
  state: MembershipState;
  roles: readonly string[];
  /** It comes with a role elsewhere, and is nobody's first choice. */
  isBeside?: boolean;
  /** It is of a portal, and the portal is closed. */
  isClosed?: boolean;
}

/** The memberships a person can have a token for now. */
export const usableOf = <C extends Candidate>(all: readonly C[]): C[] =>
  all.filter((one) => one.state === 'ACTIVE' && !one.isClosed && isTenantUsable(one.tenantState, one.roles));

/**
 * The membership a sign-in takes (identity R4): the asked tenant's, or the only one, or the one used last; null leaves
 * the choice to the person. A place beside another is taken only when it is asked for. Refuses when the asked tenant, or every tenant there is, has no place for them.
 */
export function chooseMembership<C extends Candidate>(
  all: readonly C[],
  slug: string | null,
  lastId: string | null,
): C | null {
  const usable = usableOf(all);
  const asked = slug === null ? usable : usable.filter((one) => one.slug === slug);
  const [shut] = all.filter(
    (one) => one.state === 'ACTIVE' && !usable.includes(one) && (slug === null || one.slug === slug),
  );
  if (asked.length === 0 && shut) throw shutOut(shut, 'tenant');
  if (asked.length === 0 && all.some((one) => one.state === 'FROZEN' && one.slug === slug)) throw noSeat('tenant');
  if (asked.length === 0 && slug !== null) throw new Refusal('INVALID', 'You are no member of this tenant.', 'tenant');
  const first = asked.filter(({ isBeside }) => !isBeside);
  const offered = first.length > 0 ? first : asked;
  return offered.length === 1 ? (offered[0] ?? null) : (offered.find((one) => one.id === lastId) ?? null);
}
