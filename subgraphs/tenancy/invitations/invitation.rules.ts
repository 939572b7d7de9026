import { forbidden, Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { isRole, type Permission, PLATFORM_PERMISSIONS, permissionsOf } from '../../../schema/permissions.ts';
import { emailAddress } from '../../../schema/words.ts';

export type InvitationState = 'PENDING' | 'ACCEPTED' | 'EXPIRED' | 'REVOKED';

/** How long an invitation can be accepted, milliseconds. */
export const VALID_MS = 7 * 24 * 3_600_000;
/** Invitations of a tenant that wait at once. */
export const MAX_PENDING = 100;
/** Mails sent for one invitation. */
export const MAX_SENT = 10;

const NEXT: Record<InvitationState, readonly InvitationState[]> = {
  PENDING: ['ACCEPTED', 'EXPIRED', 'REVOKED'],
  ACCEPTED: [],
  EXPIRED: [],
  REVOKED: [],
};

/** Moves an invitation to a state, or refuses with INVALID_STATE. */
export function advance(from: InvitationState, to: InvitationState): InvitationState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `An invitation that is ${from} cannot become ${to}.`);
  return to;
}

/** The state at an instant: time is up when it is, whether anybody has noted it or not. */
export const stateAt = (
  { state, expiresAt }: { state: InvitationState; expiresAt: Date },
  now: Date,
): InvitationState => (state === 'PENDING' && expiresAt <= now ? 'EXPIRED' : state);

/**
 * Checks whom somebody asks in, and as what. Refuses INVALID for a malformed mail and a role that is no built-in one of
 * staff here; throws FORBIDDEN for a role that may do what the inviter may not.
 */
export function checkInvitation(
  { email, role }: { email: string; role: string },
  { holds, isPlatform }: { holds: (permission: Permission) => boolean; isPlatform: boolean },
): { email: string; role: string } {
  const address = emailAddress(email).toLowerCase();
  if (!isRole(role) || role === 'customer' || (role === 'platform_admin' && !isPlatform))
    throw new Refusal('INVALID', `There is no role ${role.slice(0, 40)} to invite to.`, 'role');
  const given = permissionsOf([role]).filter((one) => isPlatform || !PLATFORM_PERMISSIONS.includes(one));
  if (!given.every(holds)) throw forbidden('Nobody gives a right they do not hold.');
  return { email: address, role };
}

const TOKEN = /^[A-Za-z0-9_-]{86}$/;
const ID_BYTES = 16;
export const SECRET_BYTES = 32;

/** The token of an invitation: where it is, and a secret. So nobody has to look through other tenants' to find it. */
export function tokenOf(tenantId: string, id: string, secret: Buffer): string {
  const bytes = [tenantId, id].map((one) => Buffer.from(one.replaceAll('-', ''), 'hex'));
  return Buffer.concat([...bytes, secret]).toString('base64url');
}

/** What a token says, or undefined for what is none. */
export function readToken(token: string): { tenantId: string; id: string; secret: Buffer } | undefined {
  if (!TOKEN.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const idAt = (start: number) =>
    bytes.toString('hex', start, start + ID_BYTES).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const [tenantId, id] = [idAt(0), idAt(ID_BYTES)];
  return isId(tenantId) && isId(id) ? { tenantId, id, secret: bytes.subarray(2 * ID_BYTES) } : undefined;
}
