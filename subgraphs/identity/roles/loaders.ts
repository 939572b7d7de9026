import type { Permission } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import type { Membership } from '../membership.entity.ts';
import { effectivePermissions } from '../membership.rules.ts';
import { OwnRole, PermissionGrant, type Role } from './role.entity.ts';
import { roleNamed } from './role.service.ts';

type RolesByKey = ReadonlyMap<string, OwnRole>;

/** The own roles of tenants; read across tenants, for a person's memberships lie in several. */
const readOwnRoles = (ctx: Context, homeIds: readonly string[]) =>
  ctx.acrossTenants(async (em) => {
    const rows = await em.find(OwnRole, { homeId: { $in: [...homeIds] } }, { orderBy: { key: 'asc' } });
    return homeIds.map((id): [string, RolesByKey] => {
      return [id, new Map(rows.filter(({ homeId }) => homeId === id).map((role) => [role.key, role]))];
    });
  });

/** What memberships have been given beside their roles, as far as it has not ended. */
const readGrants = (ctx: Context, ids: readonly string[]) =>
  ctx.acrossTenants(async (em) => {
    const where = { membershipId: { $in: [...ids] }, endedAt: null, until: { $gt: new Date() } };
    const rows = await em.find(PermissionGrant, where, { orderBy: { id: 'asc' } });
    return ids.map((id): [string, PermissionGrant[]] => [id, rows.filter(({ membershipId }) => membershipId === id)]);
  });

const ownRolesByHome = defineLoader<RolesByKey>('ownRolesByHome', (_, homeIds, ctx) => readOwnRoles(ctx, homeIds));
const grantsByMember = defineLoader<PermissionGrant[]>('grantsByMember', (_, ids, ctx) => readGrants(ctx, ids));

const NONE: RolesByKey = new Map();

/** Loaders read in the caller's tenant; who has not chosen one yet has few memberships, asked one by one. */
async function ownRolesIn(ctx: Context, homeId: string): Promise<RolesByKey> {
  if (ctx.envelope.tenantId) return (await ctx.load(ownRolesByHome, homeId)) ?? NONE;
  return (await readOwnRoles(ctx, [homeId]))[0]?.[1] ?? NONE;
}

/** The roles of a membership, as clients see them. */
export async function rolesOfMember(ctx: Context, { homeId, roles }: Membership): Promise<Role[]> {
  const own = await ownRolesIn(ctx, homeId);
  return roles.flatMap((key) => roleNamed(key, homeId === PLATFORM_TENANT, own) ?? []);
}

/** What a membership has been given beside its roles. */
export async function grantsOfMember(ctx: Context, { id }: Membership): Promise<PermissionGrant[]> {
  if (ctx.envelope.tenantId) return (await ctx.load(grantsByMember, id)) ?? [];
  return (await readGrants(ctx, [id]))[0]?.[1] ?? [];
}

/** All a membership allows where it is, sorted as the catalogue is. */
export async function permissionsOfMember(ctx: Context, member: Membership): Promise<Permission[]> {
  const own = await ownRolesIn(ctx, member.homeId);
  const granted = (await grantsOfMember(ctx, member)).map(({ permission }) => permission);
  return effectivePermissions(member.roles, member.homeId === PLATFORM_TENANT, own, granted);
}
