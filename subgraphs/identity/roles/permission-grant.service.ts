import { uuidv7 } from 'uuidv7';
import { badInput, forbidden, Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { isPermission } from '../../../schema/permissions.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Membership } from '../membership.entity.ts';
import { checkHeld, effectivePermissions } from '../membership.rules.ts';
import { giverOf, lockAdmins } from '../membership.steps.ts';
import { checkGrant, MAX_GRANTS } from './permission-grant.rules.ts';
import { PermissionGrant, type PermissionVerdict } from './role.entity.ts';
import { ownRolesOf, roleNamed } from './role.service.ts';

export interface AskedGrant {
  membershipId: string;
  expectedVersion: number;
  permission: string;
  reason: string;
  until: Date;
}

/**
 * Gives a member one permission until an instant. Refuses INVALID as `checkGrant`, INVALID_STATE for a member who is not
 * ACTIVE, CONFLICT for one they have so already or an old version; throws FORBIDDEN for a permission the giver lacks and
 * for oneself.
 */
export function grantPermission(ctx: Context, asked: AskedGrant): Promise<Membership> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const member = await lockOrRefuse(em, Membership, asked.membershipId, 'member', { field: 'membershipId' });
    expectVersion(member.version, asked.expectedVersion, 'member');
    if (member.state !== 'ACTIVE' || member.kind !== 'STAFF')
      throw new Refusal('INVALID_STATE', 'Only staff who are active are given permissions.', 'membershipId');
    const grant = checkGrant(asked, ctx.now(), ctx.isPlatform);
    const giver = await giverOf(ctx, em);
    if (giver?.userId === member.userId) throw forbidden('Nobody changes their own roles.');
    if (giver) checkHeld(giver, [grant.permission]);
    const live = await em.find(PermissionGrant, { membershipId: member.id, endedAt: null });
    if (live.some(({ permission }) => permission === grant.permission))
      throw new Refusal('CONFLICT', 'They have been given this permission already.', 'permission');
    if (live.length >= MAX_GRANTS)
      throw new Refusal('LIMIT_REACHED', `A member has at most ${MAX_GRANTS} permissions of their own.`);
    const made = em.create(PermissionGrant, {
      ...grant,
      id: uuidv7(),
      membershipId: member.id,
      grantedBy: giver ? giver.userId : null,
      grantedAt: ctx.now(),
      endedAt: null,
    });
    em.persist(made);
    await em.flush();
    const { permission, until } = made;
    const told = { membershipId: member.id, grantId: made.id, permission, until: until.toISOString() };
    emit(em, 'identity.permission.granted', told);
    touch(em, member);
    await wakeAtNextEnd(em);
    return member;
  });
}

/** Takes a given permission back before its time. */
export function revokePermission(ctx: Context, grantId: string): Promise<Membership> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const where = { endedAt: null };
    const grant = await lockOrRefuse(em, PermissionGrant, grantId, 'grant', { field: 'id', where });
    const member = await lockOrRefuse(em, Membership, grant.membershipId, 'member', { field: 'id' });
    if ((await giverOf(ctx, em))?.userId === member.userId) throw forbidden('Nobody changes their own roles.');
    grant.endedAt = ctx.now();
    const { permission } = grant;
    emit(em, 'identity.permission.revoked', { membershipId: member.id, grantId: grant.id, permission });
    touch(em, member);
    return member;
  });
}

/** Ends what the tenant's present has passed, and wakes at the next end. */
export function lapseGrants(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    await lockAdmins(em);
    const due = await em.find(PermissionGrant, { endedAt: null, until: { $lte: ctx.now() } }, { limit: 1_000 });
    for (const grant of due) {
      const member = await em.findOneOrFail(Membership, { id: grant.membershipId });
      grant.endedAt = ctx.now();
      const { permission, membershipId } = grant;
      emit(em, 'identity.permission.lapsed', { membershipId, grantId: grant.id, permission });
      touch(em, member);
    }
    await em.flush();
    await wakeAtNextEnd(em);
  });
}

function touch(em: EntityManager, member: Membership): void {
  member.version += 1;
  tellGateways(em, 'grants', `membership:${member.id}`);
}

async function wakeAtNextEnd(em: EntityManager): Promise<void> {
  const next = await em.findOne(PermissionGrant, { endedAt: null }, { orderBy: { until: 'asc' } });
  if (next) setTimer(em, 'identity.lapseGrants', next.until);
}

/**
 * Whether a member of the caller's tenant may do something, and which roles and grants it comes from. Somebody who is no
 * member may do nothing; throws BAD_USER_INPUT for a permission there is not.
 */
export async function explainPermission(ctx: Context, userId: string, asked: string): Promise<PermissionVerdict> {
  if (!isPermission(asked)) throw badInput(`Unknown permission: ${asked.slice(0, 80)}`);
  const em = await ctx.em();
  const members = isId(userId) ? await em.find(Membership, { userId, kind: 'STAFF', state: 'ACTIVE' }) : [];
  const own = await ownRolesOf(em);
  const allows = (roles: string[], granted: string[] = []) =>
    effectivePermissions(roles, ctx.isPlatform, own, granted).includes(asked);
  const keys = members.flatMap(({ roles }) => roles).filter((key) => allows([key]));
  const live = await em.find(PermissionGrant, {
    membershipId: { $in: members.map(({ id }) => id) },
    ...{ endedAt: null, until: { $gt: ctx.now() } },
  });
  const grants = live.filter(({ permission }) => allows([], [permission]));
  return {
    permission: asked,
    isAllowed: keys.length + grants.length > 0,
    roles: keys.flatMap((key) => roleNamed(key, ctx.isPlatform, own) ?? []),
    grants,
  };
}
