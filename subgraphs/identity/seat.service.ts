import { LockMode } from '@mikro-orm/core';
import { ClientError } from '../../schema/errors.ts';
import { frozenOf } from '../../schema/excess.ts';
import { ceilingOf } from '../../schema/quota.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { tellGateways } from '../_kernel/events.ts';
import { Membership } from './membership.entity.ts';
import { advance, isAdmin } from './membership.rules.ts';
import { lockAdmins, tell } from './membership.steps.ts';
import { endSessionsOf } from './session.service.ts';

/**
 * Hears that the plan has other seats than before. What counts is the limit as it stands now: news that come late or
 * twice change nothing, and of several reductions the newest says who is kept.
 * @param version of the licence that says so.
 */
export function applySeatLimit(ctx: Context, version: number, keepIds: readonly string[]): Promise<void> {
  return ctx.tx(async (em) => {
    if (await isNewest(em, version)) await settleSeats(em, keepIds);
  });
}

/** Notes a version of the licence; false when one as new was noted before. */
async function isNewest(em: EntityManager, version: number): Promise<boolean> {
  const noted = await em.execute(
    `insert into identity.seat_limit as held (version) values (?)
     on conflict (tenant_id) do update set version = excluded.version where held.version < excluded.version returning version`,
    [version],
  );
  return noted.length > 0;
}

/**
 * Lets in as many staff as there are seats (licensing R15): who is too many is frozen, and who has a seat again thaws
 * with the roles they had. Everybody keeps the unit of `staff_users` they took, so nobody is added before use is below
 * the limit. Suspended members take no part: they are out already.
 */
export async function settleSeats(em: EntityManager, keepIds: readonly string[] = []): Promise<void> {
  await em.flush();
  await lockAdmins(em);
  const staff = await em.find(
    Membership,
    { kind: 'STAFF', state: { $in: ['ACTIVE', 'FROZEN'] } },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  const seats = await seatsOf(em);
  const limited = staff.map(({ id, createdAt, state, roles }) => {
    return { id, createdAt, isFrozen: state === 'FROZEN', isProtected: isAdmin(roles) };
  });
  const frozen = new Set(frozenOf(limited, seats, keepIds).map(({ id }) => id));
  for (const member of staff) {
    if (frozen.has(member.id) && member.state === 'ACTIVE') await freeze(em, member);
    if (!frozen.has(member.id) && member.state === 'FROZEN') thaw(em, member);
  }
}

async function freeze(em: EntityManager, member: Membership): Promise<void> {
  move(em, member, 'FROZEN');
  await endSessionsOf(em, member.id, 'MEMBERSHIP_FROZEN');
  tell(em, 'identity.membership.frozen', member, 'LIMIT_REDUCED');
}

function thaw(em: EntityManager, member: Membership): void {
  move(em, member, 'ACTIVE');
  tell(em, 'identity.membership.restored', member);
}

function move(em: EntityManager, member: Membership, to: 'ACTIVE' | 'FROZEN'): void {
  member.state = advance(member.state, to);
  member.version += 1;
  tellGateways(em, 'grants', `membership:${member.id}`);
}

/**
 * Throws QUOTA_EXCEEDED when every seat has somebody active in it, for who comes back without taking a unit: the plan
 * may have lost seats while they were suspended.
 */
export async function checkSeatFree(ctx: Context, em: EntityManager): Promise<void> {
  const seats = await seatsOf(em);
  const active = await em.count(Membership, { kind: 'STAFF', state: 'ACTIVE' });
  if (seats === null || active < seats) return;
  throw new ClientError('QUOTA_EXCEEDED', `The plan allows ${seats} staff users and ${active} are active.`, {
    key: 'staff_users',
    limit: seats.toString(),
    used: active.toString(),
    resetsAt: null,
    licenseVersion: ctx.envelope.licenseVersion,
  });
}

/** How many staff may be active now; null is without end, and where no licence has said anything yet. */
async function seatsOf(em: EntityManager): Promise<bigint | null> {
  const [row] = await em.execute(
    `select "limit", policy, soft_margin_percent as margin, overage_cap as cap from kernel.quota where key = 'staff_users'`,
  );
  const whole = (value: string | null) => (value === null ? null : BigInt(value));
  return row ? ceilingOf(whole(row.limit), row.policy, row.margin, whole(row.cap)) : null;
}
