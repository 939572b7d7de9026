import { LockMode } from '@mikro-orm/core';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { Membership } from '../membership.entity.ts';
import { closeMembership } from '../membership.service.ts';
import { everyPlaceOf } from '../place.service.ts';
import { Session } from '../session.entity.ts';
import { selfOf } from '../session.service.ts';
import { presentOf } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { advancePerson, FORMER_USER, UNPROVED_DAYS } from './account.rules.ts';

const DAY_MS = 86_400_000;

/** What proves a person, by the column that names them. All of it goes with them. */
const PROOFS = [
  'credential',
  'mail_proof',
  'second_factor',
  'recovery_code',
  'passkey',
  'challenge',
  'factor_reset',
  'linked_identity',
];

/**
 * Erases who asks. Refuses INVALID_STATE while they work for a tenant: they leave it first, so that it keeps an
 * administrator.
 */
export async function eraseMyAccount(ctx: Context): Promise<void> {
  const { userId } = selfOf(ctx);
  const places = await everyPlaceOf(ctx, userId);
  if (places.some(({ membership }) => membership.kind === 'STAFF'))
    throw new Refusal('INVALID_STATE', 'You still work for a tenant. Please leave it first.');
  for (const { membership } of places) await endPortalAccess(ctx, membership);
  await erasePerson(ctx, userId);
}

async function endPortalAccess(ctx: Context, { id, homeId }: Membership): Promise<void> {
  const there = ctx.inTenant(homeId);
  await there.tx(async (em) => {
    const member = await lockOrRefuse(em, Membership, id, 'membership');
    if (member.state === 'ENDED') return;
    member.version += 1;
    await closeMembership(there, em, member, [], 'They erased their account.');
    tellGateways(em, 'grants', `membership:${id}`);
  });
}

/**
 * Takes away who a person was: name, mail and every proof; sessions end. Their id stays, for what they did, and is called
 * a former user. Memberships are to be ended before. Doing it again changes nothing.
 */
export async function erasePerson(ctx: Context, userId: string): Promise<void> {
  const ended = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, userId, 'person', { field: 'userId' });
    if (user.state === 'ERASED') return [];
    const sessions = await stopSessions(em, userId, 'USER_ERASED');
    await forgetProofs(em, userId);
    user.state = advancePerson(user.state, 'ERASED');
    Object.assign(user, { email: null, displayName: FORMER_USER, locale: 'en', isEmailVerified: false });
    Object.assign(user, { isLockedByOwner: false, passwordChangedAt: null });
    emit(em, 'identity.user.erased', { userId });
    return sessions;
  });
  await tellEnds(ctx, ended);
}

async function forgetProofs(em: EntityManager, userId: string): Promise<void> {
  await em.flush();
  for (const table of PROOFS) await em.execute(`delete from identity.${table} where user_id = ?`, [userId]);
  await em.nativeUpdate(Session, { userId }, { address: null });
}

/** Deletes who registered and never proved their mail in time; nothing points at them. At most so many at once. */
export function deleteUnproved(ctx: Context, most: number): Promise<void> {
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const { now } = await presentOf(em);
    const before = new Date(now.getTime() - UNPROVED_DAYS * DAY_MS);
    const where = { state: 'UNPROVED', createdAt: { $lt: before } } as const;
    const late = await em.find(User, where, { limit: most, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE });
    for (const { id } of late) {
      const sessions = await em.find(Session, { userId: id });
      for (const session of sessions) tellGateways(em, 'grants', `session:${session.id}`);
      await forgetProofs(em, id);
      await em.nativeDelete(Session, { userId: id });
      await em.nativeDelete(User, { id });
    }
  });
}
