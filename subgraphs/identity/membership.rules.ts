import { forbidden, Refusal } from '../../schema/errors.ts';
import { PERMISSIONS, type Permission, PLATFORM_PERMISSIONS, ROLES, type RoleKey } from '../../schema/permissions.ts';
import { optionalText } from '../../schema/words.ts';
import { NO_ROLES, type OwnRoles, permissionsOfRole } from './roles/role.rules.ts';

export type MembershipKind = 'STAFF' | 'PORTAL';
export type MembershipState = 'INVITED' | 'ACTIVE' | 'SUSPENDED' | 'FROZEN' | 'ENDED';

const NEXT: Record<MembershipState, readonly MembershipState[]> = {
  INVITED: ['ACTIVE', 'ENDED'],
  ACTIVE: ['SUSPENDED', 'FROZEN', 'ENDED'],
  SUSPENDED: ['ACTIVE', 'ENDED'],
  FROZEN: ['ACTIVE', 'ENDED'],
  ENDED: [],
};

/** Moves a membership to a state, or refuses with INVALID_STATE. */
export function advance(from: MembershipState, to: MembershipState): MembershipState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A membership that is ${from} cannot become ${to}.`, 'state');
  return to;
}

/** The role of every portal account; it carries no permission, its doors look at the customer. */
export const PORTAL_ROLE = 'customer';

const ADMINS: readonly string[] = ['tenant_admin', 'platform_admin'] satisfies RoleKey[];

/** Whether roles make an administrator, of whom every tenant keeps one. */
export const isAdmin = (roles: readonly string[]): boolean => roles.some((role) => ADMINS.includes(role));

/** The built-in roles there are in a tenant; `platform_admin` is one of the platform's alone. */
export const rolesIn = (isPlatform: boolean): RoleKey[] =>
  (Object.keys(ROLES) as RoleKey[]).filter((key) => isPlatform || key !== 'platform_admin');

/**
 * What roles and live grants allow in a tenant, sorted as the catalogue is (identity R1): platform permissions are held
 * in the platform only, whatever a role or a grant says.
 */
export function effectivePermissions(
  roles: readonly string[],
  isPlatform: boolean,
  own: OwnRoles = NO_ROLES,
  granted: readonly string[] = [],
): Permission[] {
  const held = new Set<string>(granted);
  for (const key of roles) for (const permission of permissionsOfRole(key, own)) held.add(permission);
  const isHeld = (permission: Permission) =>
    held.has(permission) || (permission.endsWith('.read') && held.has(permission.replace(/\.read$/, '.manage')));
  return PERMISSIONS.filter(
    (permission) => isHeld(permission) && (isPlatform || !PLATFORM_PERMISSIONS.includes(permission)),
  );
}

const MAX_ROLES = 5;

/**
 * The roles a membership may have: 1 to 5 different ones that exist in this tenant and fit its kind.
 * Refuses anything else with INVALID.
 */
export function checkRoles(
  roles: readonly string[],
  kind: MembershipKind,
  isPlatform: boolean,
  own: OwnRoles = NO_ROLES,
): string[] {
  const asked = [...new Set(roles)];
  if (asked.length < 1 || asked.length > MAX_ROLES)
    throw new Refusal('INVALID', `A member has 1 to ${MAX_ROLES} roles.`, 'roles');
  const known: readonly string[] = [...rolesIn(isPlatform), ...own.keys()];
  const fits = (key: string) => known.includes(key) && (key === PORTAL_ROLE) === (kind === 'PORTAL');
  return asked.map((key) => {
    if (!fits(key)) throw new Refusal('INVALID', `There is no role ${key.slice(0, 40)} for this member.`, 'roles');
    return key;
  });
}

export interface Giver {
  userId: string;
  roles: readonly string[];
  holds: (permission: Permission) => boolean;
}

/**
 * Throws FORBIDDEN for roles the giver may not give: nobody gives what they do not hold, nobody changes their own
 * roles, and only an administrator makes an administrator (identity R3).
 * @param permissions what the roles allow.
 */
export function checkGiving(
  giver: Giver,
  receiverId: string,
  roles: readonly string[],
  permissions: readonly Permission[],
): void {
  if (giver.userId === receiverId) throw forbidden('Nobody changes their own roles.');
  if (isAdmin(roles) && !isAdmin(giver.roles)) throw forbidden('Only an administrator makes an administrator.');
  checkHeld(giver, permissions);
}

/** Throws FORBIDDEN for permissions the giver does not hold. */
export function checkHeld(giver: Giver, permissions: readonly Permission[]): void {
  if (!permissions.every((permission) => giver.holds(permission)))
    throw forbidden('Nobody gives a right they do not hold.');
}

/** Refuses to leave a tenant without administrator; `others` are the ACTIVE ones beside this member. */
export function keepAnAdmin(isActiveAdmin: boolean, staysOne: boolean, others: number): void {
  if (isActiveAdmin && !staysOne && others === 0)
    throw new Refusal('INVALID_STATE', 'A tenant keeps at least one administrator.');
}

/** Refuses a reason that is longer than a line or two with INVALID. */
export const checkReason = (typed: string | null | undefined): string | undefined =>
  optionalText(typed, 200, 'reason', { name: 'A reason' }) ?? undefined;

/** All permissions of the catalogue a caller holds, sorted as it is. */
export const heldOf = (holds: (permission: Permission) => boolean): Permission[] => PERMISSIONS.filter(holds);
