import type { Permission } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { Membership } from '../membership.entity.ts';
import { effectivePermissions } from '../membership.rules.ts';
import { OwnRole, PermissionGrant } from './role.entity.ts';

export interface MemberRights {
  membership: Membership;
  permissions: Permission[];
}

/**
 * What memberships of any tenants allow now, by id, for gateways: roles, the tenants' own ones included, and live grants.
 * It is expanded when a gateway reads it, which is once per session and again when it is told of a change.
 */
export async function rightsOf(ctx: Context, ids: readonly string[]): Promise<Map<string, MemberRights>> {
  if (ids.length === 0) return new Map();
  return ctx.acrossTenants(async (em) => {
    const members = await em.find(Membership, { id: { $in: [...ids] } });
    const homes = [...new Set(members.map(({ homeId }) => homeId))];
    const own = await em.find(OwnRole, { homeId: { $in: homes } });
    const live = { endedAt: null, until: { $gt: new Date() } };
    const grants = await em.find(PermissionGrant, { membershipId: { $in: members.map(({ id }) => id) }, ...live });
    const rolesAt = new Map(
      homes.map((home) => [home, new Map(own.filter(({ homeId }) => homeId === home).map((role) => [role.key, role]))]),
    );
    return new Map(
      members.map((membership) => {
        const { id, roles, homeId } = membership;
        const granted = grants.filter(({ membershipId }) => membershipId === id).map(({ permission }) => permission);
        const permissions = effectivePermissions(roles, homeId === PLATFORM_TENANT, rolesAt.get(homeId), granted);
        return [id, { membership, permissions }];
      }),
    );
  });
}
