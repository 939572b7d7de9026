import { asId, keyAfter } from '../../schema/cursor.ts';
import { Refusal } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../schema/page.ts';
import { expectVersion } from '../../schema/words.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit, tellGateways } from '../_kernel/events.ts';
import { lockOrRefuse } from '../_kernel/lock.ts';
import { consume, recount, release } from '../_kernel/quota.ts';
import { Membership } from './membership.entity.ts';
import {
  advance,
  checkGiving,
  checkReason,
  checkRoles,
  effectivePermissions,
  isAdmin,
  keepAnAdmin,
  type MembershipKind,
  type MembershipState,
} from './membership.rules.ts';
import { copyStaff, giverOf, lockAdmins, tell } from './membership.steps.ts';
import { NO_ROLES } from './roles/role.rules.ts';
import { checkRoom, ownRolesOf } from './roles/role.service.ts';
import { checkSeatFree, settleSeats } from './seat.service.ts';
import { endSessionsOf } from './session.service.ts';

export interface MemberFilter {
  kind?: MembershipKind | null;
  state?: MembershipState | null;
  /** Key of a role they have. */
  role?: string | null;
}

/** The members of the caller's tenant, ended ones too, in the order they came. */
export async function listMembers(ctx: Context, filter: MemberFilter, page: PageArgs): Promise<Connection<Membership>> {
  const em = await ctx.em();
  const after = keyAfter(page, asId);
  const where = {
    ...(filter.kind ? { kind: filter.kind } : {}),
    ...(filter.state ? { state: filter.state } : {}),
    ...(filter.role ? { roles: { $contains: [filter.role] } } : {}),
    ...(after ? { id: { $gt: after } } : {}),
  };
  const rows = await em.find(Membership, where, { orderBy: { id: 'asc' }, limit: page.first + 1 });
  return connect(rows, page, ({ id }) => [id]);
}

/** A member of the caller's tenant by id; null for an unknown one and another tenant's. */
export async function memberById(ctx: Context, id: string): Promise<Membership | null> {
  return isId(id) ? (await ctx.em()).findOne(Membership, { id }) : null;
}

/** A membership somebody else points at: seen by who may read members, and by whose it is. */
export async function seenMembership(ctx: Context, id: string): Promise<Membership | null> {
  const membership = await memberById(ctx, id);
  return membership && (ctx.can('identity.member.read') || membership.userId === ctx.actorId) ? membership : null;
}

export interface NewMember {
  id: string;
  userId: string;
  kind: MembershipKind;
  roles: string[];
  customerId?: string;
  /** Whether a seat of the plan is taken; those who were there before the plan hold none. */
  takesSeat?: boolean;
  /** It begins when the person comes. */
  isInvited?: boolean;
  /** The provisioning run that asked for it. */
  runId?: string;
}

/**
 * Makes somebody a member of this tenant. Staff takes a unit of `staff_users` under the membership's id.
 * Throws QUOTA_EXCEEDED over the plan, Refusal INVALID for roles that do not exist here.
 */
export function addMember(ctx: Context, asked: NewMember): Promise<Membership> {
  return ctx.tx(async (em) => {
    const { takesSeat = asked.kind === 'STAFF', customerId = null, isInvited = false, ...rest } = asked;
    const roles = await rolesFor(em, asked.roles, asked.kind, ctx.isPlatform);
    const made = em.create(Membership, {
      ...rest,
      roles,
      customerId,
      state: isInvited ? 'INVITED' : 'ACTIVE',
      version: 1,
      createdAt: ctx.now(),
    });
    em.persist(made);
    await copyStaff(ctx, em, made);
    if (takesSeat) await consume(ctx, em, 'staff_users', 1n, made.id);
    if (!isInvited) tell(em, 'identity.membership.activated', made);
    return made;
  });
}

/** Holds the quota `staff_users` against who there is; a difference is mended. */
export function recountStaff(ctx: Context): Promise<void> {
  return ctx.tx((em) =>
    recount(ctx, em, 'staff_users', () => em.count(Membership, { kind: 'STAFF', state: { $ne: 'ENDED' } })),
  );
}

export interface MemberChange {
  membershipId: string;
  expectedVersion: number;
}

/** Gives a member other roles; the next request of theirs holds them. See `checkGiving` for who may give what. */
export function setMemberRoles(ctx: Context, asked: MemberChange & { roles: string[] }): Promise<Membership> {
  return changeMember(ctx, asked, async (em, member, admins) => {
    if (member.state === 'ENDED') throw new Refusal('INVALID_STATE', 'This membership has ended.', 'membershipId');
    if (member.state === 'FROZEN') throw new Refusal('INVALID_STATE', 'This membership is frozen.', 'membershipId');
    const roles = await rolesFor(em, asked.roles, member.kind, ctx.isPlatform, member.roles);
    const giver = await giverOf(ctx, em);
    if (giver) {
      const own = await ownRolesOf(em);
      checkGiving(giver, member.userId, roles, effectivePermissions(roles, ctx.isPlatform, own));
    }
    keepAnAdmin(admins.includes(member.id), isAdmin(roles), admins.length - 1);
    member.roles = roles;
    tell(em, 'identity.membership.changed', member);
  });
}

/** Keeps a member out: their sessions for this tenant end, their seat stays taken. */
export function suspendMember(ctx: Context, asked: MemberChange & { reason?: string | null }): Promise<Membership> {
  return changeMember(ctx, asked, async (em, member, admins) => {
    keepAnAdmin(admins.includes(member.id), false, admins.length - 1);
    member.state = advance(member.state, 'SUSPENDED');
    await endSessionsOf(em, member.id, 'MEMBERSHIP_SUSPENDED');
    tell(em, 'identity.membership.suspended', member, checkReason(asked.reason));
  });
}

/**
 * Lets a suspended member in again, with the roles they had. Throws QUOTA_EXCEEDED when the plan has lost their seat
 * meanwhile.
 */
export function restoreMember(ctx: Context, asked: MemberChange): Promise<Membership> {
  return changeMember(ctx, asked, async (em, member) => {
    if (member.state !== 'SUSPENDED') throw new Refusal('INVALID_STATE', 'This member is not suspended.', 'state');
    if (member.kind === 'STAFF') await checkSeatFree(ctx, em);
    member.state = advance(member.state, 'ACTIVE');
    tell(em, 'identity.membership.restored', member);
  });
}

/** Ends the sessions a member has for this tenant; they may sign in again. */
export async function endMemberSessions(ctx: Context, asked: MemberChange): Promise<void> {
  await changeMember(ctx, asked, (em, member) => endSessionsOf(em, member.id, 'ENDED_BY_ADMIN'));
}

/**
 * Ends a membership for good: sessions for this tenant end, and the seat is free, for a frozen member first. Who they
 * were stays readable.
 */
export function endMember(ctx: Context, asked: MemberChange & { reason?: string | null }): Promise<Membership> {
  return changeMember(ctx, asked, (em, member, admins) =>
    closeMembership(ctx, em, member, admins, checkReason(asked.reason)),
  );
}

/**
 * Ends a locked membership in its tenant, whose version is raised already, and lets the seat go. Refuses INVALID_STATE
 * for the last administrator.
 * @param admins as `lockAdmins` gives them.
 */
export async function closeMembership(
  ctx: Context,
  em: EntityManager,
  member: Membership,
  admins: readonly string[],
  reason?: string,
): Promise<void> {
  keepAnAdmin(admins.includes(member.id), false, admins.length - 1);
  member.state = advance(member.state, 'ENDED');
  member.endedAt = ctx.now();
  if (member.kind === 'STAFF') await release(ctx, em, 'staff_users', 1n, member.id);
  await copyStaff(ctx, em, member, { isOver: true });
  await endSessionsOf(em, member.id, 'MEMBERSHIP_ENDED');
  tell(em, 'identity.membership.ended', member, reason);
  if (member.customerId)
    emit(em, 'identity.portal_access.ended', { customerId: member.customerId, membershipId: member.id });
  if (member.kind === 'STAFF') await settleSeats(em);
}

type Change = (em: EntityManager, member: Membership, admins: readonly string[]) => Promise<void>;

/**
 * What every change of a member has in common: the tenant's administrators locked before the member, so that two who
 * remove each other come one after the other, the expected version, and the gateways told.
 */
function changeMember(
  ctx: Context,
  { membershipId, expectedVersion }: MemberChange,
  change: Change,
): Promise<Membership> {
  return ctx.tx(async (em) => {
    const admins = await lockAdmins(em);
    const member = await lockOrRefuse(em, Membership, membershipId, 'member', { field: 'membershipId' });
    expectVersion(member.version, expectedVersion, 'member');
    member.version += 1;
    await change(em, member, admins);
    tellGateways(em, 'grants', `membership:${member.id}`);
    return member;
  });
}

/** The roles somebody is about to have, checked against those there are and the room each has. */
async function rolesFor(
  em: EntityManager,
  asked: readonly string[],
  kind: MembershipKind,
  isPlatform: boolean,
  before: readonly string[] = [],
): Promise<string[]> {
  const own = kind === 'STAFF' ? await ownRolesOf(em) : NO_ROLES;
  const roles = checkRoles(asked, kind, isPlatform, own);
  for (const key of roles.filter((one) => !before.includes(one) && own.get(one)?.maxMembers != null)) {
    await lockAdmins(em);
    await checkRoom(em, key, own.get(key)?.maxMembers ?? null, 1);
  }
  return roles;
}
