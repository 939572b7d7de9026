import { isRole, ROLES } from '../../schema/permissions.ts';
import { effectivePermissions, rolesIn } from './membership.rules.ts';
import type { Role } from './role.entity.ts';

/** A built-in role as it is in an ISP or in the platform; null where it does not exist. */
export function roleIn(isPlatform: boolean, key: string): Role | null {
  if (!isRole(key) || !rolesIn(isPlatform).includes(key)) return null;
  return { id: key, key, name: ROLES[key].name, permissions: effectivePermissions([key], isPlatform) };
}

/** All roles of a tenant of this sort. */
export const allRolesIn = (isPlatform: boolean): Role[] =>
  rolesIn(isPlatform).flatMap((key) => roleIn(isPlatform, key) ?? []);
