import { isId } from '../../schema/ids.ts';
import { packPermissions } from '../../schema/permissions.ts';
import type { Context } from '../_kernel/context.ts';
import { readFeed } from '../_kernel/events.ts';
import { mailMark } from '../_kernel/mail-mark.ts';
import { confirmFeed, waitForGateways } from '../_kernel/propagation.ts';
import { stepsUpWith } from './factors/challenge.rules.ts';
import { heldFactors, NO_FACTORS } from './factors/held-factors.service.ts';
import type { Grant, GrantFeedPage } from './grant.entity.ts';
import { closedPortalsOf, portalOf, underPortal } from './portal/self-service.service.ts';
import { type MemberRights, rightsOf } from './roles/member-rights.service.ts';
import { Session } from './session.entity.ts';
import { kindOf, overByTime } from './session.rules.ts';
import { actingGrantsOf } from './support/acting-grant.service.ts';
import { presentOf, readBriefly } from './tenant.service.ts';
import { User } from './user.entity.ts';
import { maySignIn } from './user.rules.ts';

/** What the named sessions and impersonations allow now; one that is unknown is left out. */
export async function grantsOf(ctx: Context, sessionIds: readonly string[]): Promise<Grant[]> {
  const { sessions, users, factors, now } = await readBriefly(ctx, async (em) => {
    const found = await em.find(Session, { id: { $in: sessionIds.filter(isId) } });
    const userIds = found.map(({ userId }) => userId);
    const people = await em.find(User, { id: { $in: userIds } });
    return {
      sessions: found,
      users: new Map(people.map((user) => [user.id, user])),
      factors: await heldFactors(em, userIds),
      now: (await presentOf(em)).now,
    };
  });
  const rights = await rightsOf(
    ctx,
    sessions.flatMap(({ membershipId }) => membershipId ?? []),
  );
  const portals = new Map(
    sessions.map((session) => {
      const membership = rights.get(session.membershipId ?? '')?.membership ?? null;
      return [session.id, portalOf(users.get(session.userId)?.realm ?? 'STAFF', membership)];
    }),
  );
  const closed = await closedPortalsOf(ctx, [...portals.values()]);
  const known = new Set(sessions.map(({ id }) => id));
  const acting = await actingGrantsOf(
    ctx,
    sessionIds.filter((id) => isId(id) && !known.has(id)),
  );
  const own = sessions.flatMap((session) => {
    const user = users.get(session.userId);
    if (!user) return [];
    const proofs = stepsUpWith(factors.get(user.id) ?? NO_FACTORS);
    const provedMail =
      user.realm === 'STAFF' && user.isEmailVerified && user.email ? mailMark(ctx.machinery.config, user.email) : null;
    const portal = portals.get(session.id) ?? null;
    const open = grantOf(session, user, rights.get(session.membershipId ?? '') ?? null, now);
    return [{ ...underPortal(open, portal, closed), proofs, provedMail }];
  });
  return [...own, ...acting];
}

function grantOf(
  session: Session,
  user: User,
  rights: MemberRights | null,
  now: Date,
): Omit<Grant, 'proofs' | 'provedMail'> {
  const endReason = session.endReason ?? overByTime(session, now) ?? (maySignIn(user.state) ? null : 'USER_SUSPENDED');
  const membership = rights?.membership;
  return {
    sessionId: session.id,
    state: endReason ? 'ENDED' : 'ACTIVE',
    endReason,
    userId: user.id,
    realm: user.realm,
    kind: kindOf(user.realm, membership ?? null),
    membershipId: session.membershipId,
    membershipVersion: membership?.version ?? null,
    membershipState: membership?.state ?? null,
    tenantId: session.homeId,
    customerId: membership?.customerId ?? null,
    ...packPermissions(membership?.state === 'ACTIVE' ? (rights?.permissions ?? []) : []),
    strongAt: session.strongAt && Math.floor(session.strongAt.getTime() / 1_000),
    mustDo: session.mustDo,
    generation: session.generation,
    operatorId: null,
    mode: null,
    hangsOn: session.membershipId ? [`membership:${session.membershipId}`] : [],
  };
}

/** Which sessions and memberships changed after a place in the gateways' feed. */
export function grantFeed(ctx: Context, afterSeq: number, first: number): Promise<GrantFeedPage> {
  return ctx.acrossTenants(async (em) => {
    const { head, rows } = await readFeed(em, 'grants', afterSeq, first);
    return {
      head: rows.length === first ? (rows.at(-1)?.seq ?? head) : head,
      subjects: rows.map(({ subject }) => subject),
    };
  });
}

/** Notes that a gateway holds every change of grants up to a place in the feed. */
export async function confirmGrants(ctx: Context, nodeId: string, seq: number): Promise<boolean> {
  await confirmFeed(ctx, 'grants', nodeId, seq);
  return true;
}

/**
 * Runs a use case that takes rights away and, after its commit, waits until every living gateway holds the change
 * (identity R18): a request that begins after the answer is not served with the rights of before.
 */
export async function toldEverywhere<T>(ctx: Context, run: () => Promise<T>): Promise<T> {
  const result = await run();
  await waitForGateways(ctx, 'grants');
  return result;
}
