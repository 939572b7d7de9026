import { isId } from '../../schema/ids.ts';
import { packPermissions } from '../../schema/permissions.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { readFeed } from '../_kernel/events.ts';
import { mailMark } from '../_kernel/mail-mark.ts';
import { confirmFeed, waitForGateways } from '../_kernel/propagation.ts';
import { stepsUpWith } from './factors/challenge.rules.ts';
import { FACTORS, factorsIn } from './factors/held-factors.service.ts';
import type { Grant, GrantFeedPage } from './grant.entity.ts';
import { closedPortalsOf, portalOf, underPortal } from './portal/self-service.service.ts';
import { type MemberRights, rightsOf } from './roles/member-rights.service.ts';
import { Session } from './session.entity.ts';
import { kindOf, overByTime } from './session.rules.ts';
import { actingGrantsOf } from './support/acting-grant.service.ts';
import { readBriefly } from './tenant.service.ts';
import { User } from './user.entity.ts';
import { maySignIn } from './user.rules.ts';

/** What the named sessions and impersonations allow now; one that is unknown is left out. */
export async function grantsOf(ctx: Context, sessionIds: readonly string[]): Promise<Grant[]> {
  const found = await readBriefly(ctx, (em) => readSessions(em, sessionIds.filter(isId)));
  const rights = await rightsOf(
    ctx,
    found.flatMap(({ session }) => session.membershipId ?? []),
  );
  const portals = new Map(
    found.map(({ session, user }) => {
      const membership = rights.get(session.membershipId ?? '')?.membership ?? null;
      return [session.id, portalOf(user.realm, membership)];
    }),
  );
  const closed = await closedPortalsOf(ctx, [...portals.values()]);
  const known = new Set(found.map(({ session }) => session.id));
  const acting = await actingGrantsOf(
    ctx,
    sessionIds.filter((id) => isId(id) && !known.has(id)),
  );
  const own = found.map(({ session, user, factors, now }) => {
    const proofs = stepsUpWith(factors);
    const provedMail =
      user.realm === 'STAFF' && user.isEmailVerified && user.email ? mailMark(ctx.machinery.config, user.email) : null;
    const portal = portals.get(session.id) ?? null;
    const open = grantOf(session, user, rights.get(session.membershipId ?? '') ?? null, now);
    return { ...underPortal(open, portal, closed), proofs, provedMail };
  });
  return [...own, ...acting];
}

/** Sessions with their people, what those can prove themselves with, and the true time: one trip to the database for all. */
async function readSessions(em: EntityManager, ids: readonly string[]) {
  const rows = await em.execute(
    `select to_jsonb(s) as session, to_jsonb(u) as user, ${FACTORS}, clock_timestamp() as now
       from identity.session s join identity.user u on u.id = s.user_id where s.id = any(?::uuid[])`,
    [`{${ids.join(',')}}`],
  );
  return rows.map((row) => ({
    session: em.map(Session, row.session),
    user: em.map(User, row.user),
    factors: factorsIn(row),
    now: new Date(row.now),
  }));
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
