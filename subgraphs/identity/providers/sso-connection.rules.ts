import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';

export type SsoState = 'DRAFT' | 'ACTIVE' | 'OFF';

/** Who carries this value of the provider's gets this role. */
export interface RoleOfClaim {
  value: string;
  role: string;
}

/** Connections of a tenant, rules of a role map, and people named for emergencies. */
export const MAX_CONNECTIONS = 5;
const MAX_RULES = 50;
const MAX_EMERGENCY = 2;

const NEXT: Record<SsoState, readonly SsoState[]> = { DRAFT: ['ACTIVE', 'OFF'], ACTIVE: ['OFF'], OFF: ['ACTIVE'] };

/** Refuses INVALID_STATE for a move there is not. */
export function advanceSso(from: SsoState, to: SsoState): SsoState {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `The connection is ${from}.`, 'state');
  return to;
}

/** A connection may be used once one of its domains is proved and somebody has signed in with it (identity R16). */
export function checkReady(provedDomains: number, testedAt: Date | null): void {
  if (provedDomains === 0) throw new Refusal('INVALID_STATE', 'None of its domains is proved.', 'state');
  if (!testedAt) throw new Refusal('INVALID_STATE', 'Nobody has signed in with it yet. Please try it first.', 'state');
}

/** The issuer as tokens must name it, letter for letter. Refuses INVALID for what is no URL of one. */
export function checkIssuer(typed: string): string {
  const issuer = text(typed, 500, 'issuer', { name: 'An issuer' });
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (!url || url.search || url.hash || !/^https?:$/.test(url.protocol))
    throw new Refusal('INVALID', 'An issuer looks like https://login.example.com.', 'issuer');
  return issuer;
}

export function checkRoleMap(map: readonly RoleOfClaim[]): RoleOfClaim[] {
  if (map.length > MAX_RULES) throw new Refusal('LIMIT_REACHED', `A map has at most ${MAX_RULES} lines.`, 'roleMap');
  return map.map(({ value, role }) => ({ value: text(value, 200, 'roleMap', { name: 'A value' }), role }));
}

export function checkEmergency(ids: readonly string[]): string[] {
  const named = [...new Set(ids)];
  if (named.length > MAX_EMERGENCY)
    throw new Refusal(
      'LIMIT_REACHED',
      `At most ${MAX_EMERGENCY} people are named for emergencies.`,
      'emergencyUserIds',
    );
  return named;
}

/** The roles somebody gets by what their provider says of them, each once, at most five. */
export const rolesBy = (map: readonly RoleOfClaim[], groups: readonly string[]): string[] =>
  [...new Set(map.filter(({ value }) => groups.includes(value)).map(({ role }) => role))].slice(0, 5);
