import { uuidv7 } from 'uuidv7';
import { forbidden, Refusal } from '../../../schema/errors.ts';
import { isRole, ROLES } from '../../../schema/permissions.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Membership } from '../membership.entity.ts';
import { checkHeld, effectivePermissions, rolesIn } from '../membership.rules.ts';
import { giverOf, lockAdmins } from '../membership.steps.ts';
import { OwnRole, Role } from './role.entity.ts';
import { type AskedRole, checkRole, MAX_OWN_ROLES, standsOn } from './role.rules.ts';

/** The own roles of the transaction's tenant, by key. */
export async function ownRolesOf(em: EntityManager): Promise<Map<string, OwnRole>> {
  const rows = await em.find(OwnRole, {}, { orderBy: { key: 'asc' } });
  return new Map(rows.map((role) => [role.key, role]));
}

/** A role as clients see it; null where there is none with this key. */
export function roleNamed(key: string, isPlatform: boolean, own: ReadonlyMap<string, OwnRole>): Role | null {
  const permissions = effectivePermissions([key], isPlatform, own);
  const made = own.get(key);
  if (made) {
    const { id, name, basedOn, adds, removes, maxMembers, version } = made;
    return { id, key, name, isBuiltIn: false, basedOn, adds, removes, maxMembers, version, permissions };
  }
  if (!isRole(key) || !(rolesIn(isPlatform) as string[]).includes(key)) return null;
  const terms = { basedOn: null, adds: ROLES[key].holds, removes: [], maxMembers: null, version: 1 };
  return { id: key, key, name: ROLES[key].name, isBuiltIn: true, ...terms, permissions };
}

/** All roles of the caller's tenant: the built-in ones, then its own. */
export async function listRoles(ctx: Context): Promise<Role[]> {
  const own = await ownRolesOf(await ctx.em());
  return [...rolesIn(ctx.isPlatform), ...own.keys()].flatMap((key) => roleNamed(key, ctx.isPlatform, own) ?? []);
}

/** A role somebody else points at. */
export async function roleById(ctx: Context, id: string): Promise<Role | null> {
  return (await listRoles(ctx)).find((role) => role.id === id) ?? null;
}

/**
 * Makes a role of the tenant's own. Refuses INVALID as `checkRole`, CONFLICT for a key that is taken, LIMIT_REACHED for
 * the 51st, and throws FORBIDDEN for one that may do what its maker may not.
 */
export function createRole(ctx: Context, asked: AskedRole): Promise<Role> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const own = await ownRolesOf(em);
    const terms = checkRole(asked, own, ctx.isPlatform);
    if (own.has(terms.key)) throw new Refusal('CONFLICT', `There is a role ${terms.key} already.`, 'key');
    if (own.size >= MAX_OWN_ROLES)
      throw new Refusal('LIMIT_REACHED', `A tenant has at most ${MAX_OWN_ROLES} roles of its own.`);
    const made = em.create(OwnRole, { ...writable(terms), id: uuidv7(), version: 1, createdAt: ctx.now() });
    em.persist(made);
    return settle(ctx, em, made, own);
  });
}

/** Changes a role; the next request of everybody who has it knows. Refuses as `createRole`, CONFLICT for an old version. */
export function updateRole(
  ctx: Context,
  { roleId, expectedVersion, ...asked }: Partial<AskedRole> & { roleId: string; expectedVersion: number },
): Promise<Role> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const role = await lockOrRefuse(em, OwnRole, roleId, 'role');
    expectVersion(role.version, expectedVersion, 'role');
    const own = await ownRolesOf(em);
    const { key, name, basedOn, adds, removes, maxMembers } = role;
    const before = { key, name, basedOn, adds, removes, maxMembers };
    const { key: _, ...terms } = writable(checkRole({ ...before, ...asked, key }, own, ctx.isPlatform));
    Object.assign(role, terms, { version: role.version + 1 });
    await checkRoom(em, role.key, role.maxMembers);
    return settle(ctx, em, role, own);
  });
}

/** Removes a role nobody has and no role stands on; INVALID_STATE for one in use. */
export function deleteRole(ctx: Context, roleId: string): Promise<void> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const role = await lockOrRefuse(em, OwnRole, roleId, 'role', { field: 'id' });
    const members = await em.count(Membership, { roles: { $contains: [role.key] }, state: { $ne: 'ENDED' } });
    if (members > 0) throw new Refusal('INVALID_STATE', 'Members still have this role.', 'id');
    const above = [...(await ownRolesOf(em)).values()].find(({ basedOn }) => basedOn === role.key);
    if (above) throw new Refusal('INVALID_STATE', `The role ${above.key} stands on this one.`, 'id');
    em.remove(role);
    emit(em, 'identity.role.changed', { roleId: role.id, version: role.version + 1 });
  });
}

const writable = ({ adds, removes, ...rest }: ReturnType<typeof checkRole>) => ({
  ...rest,
  adds: [...adds],
  removes: [...removes],
});

/** Checks who gives what with a role as it now is, and tells whoever holds a copy of what its members may. */
async function settle(
  ctx: Context,
  em: EntityManager,
  role: OwnRole,
  before: ReadonlyMap<string, OwnRole>,
): Promise<Role> {
  const own = new Map([...before, [role.key, role]]);
  const giver = await giverOf(ctx, em);
  if (giver) {
    if (giver.roles.some((key) => standsOn(key, role.key, own))) throw forbidden('Nobody changes their own roles.');
    checkHeld(giver, effectivePermissions([role.key], ctx.isPlatform, own));
  }
  const touched = [...own.keys()].filter((key) => standsOn(key, role.key, own));
  const members = await em.find(Membership, { roles: { $overlap: touched }, state: { $ne: 'ENDED' } });
  for (const { id } of members) tellGateways(em, 'grants', `membership:${id}`);
  emit(em, 'identity.role.changed', { roleId: role.id, version: role.version });
  return roleNamed(role.key, ctx.isPlatform, own) as Role;
}

/**
 * Refuses with LIMIT_REACHED when more members would have a role than it has room for.
 * @param more who is about to get it.
 */
export async function checkRoom(em: EntityManager, key: string, room: number | null, more = 0): Promise<void> {
  if (room === null) return;
  const members = await em.count(Membership, { roles: { $contains: [key] }, state: { $ne: 'ENDED' } });
  if (members + more > room) throw new Refusal('LIMIT_REACHED', `The role ${key} has room for ${room} members.`);
}
