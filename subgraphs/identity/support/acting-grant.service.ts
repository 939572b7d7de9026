import { packPermissions } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import type { Grant } from '../grant.entity.ts';
import { closedPortalsOf, portalOf, underPortal } from '../portal/self-service.service.ts';
import { type MemberRights, rightsOf } from '../roles/member-rights.service.ts';
import { Session } from '../session.entity.ts';
import { kindOf, overByTime } from '../session.rules.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { Impersonation } from './impersonation.entity.ts';
import { leftWhileActing } from './impersonation.rules.ts';
import { RIGHT_TO_ACT } from './operator.service.ts';

/**
 * What the tokens of the named impersonations allow now: what the person may, without what nobody does in another's name,
 * for as long as the operator is signed in and still an operator.
 */
export async function actingGrantsOf(ctx: Context, ids: readonly string[]): Promise<Grant[]> {
  if (ids.length === 0) return [];
  const found = await ctx.acrossTenants((em) => em.find(Impersonation, { id: { $in: [...ids] } }));
  if (found.length === 0) return [];
  const { sessions, people, now } = await readBriefly(ctx, async (em) => ({
    sessions: await em.find(Session, { id: { $in: found.map((one) => one.operatorSessionId) } }),
    people: await em.find(User, { id: { $in: found.flatMap(({ userId, operatorId }) => [userId, operatorId]) } }),
    now: (await presentOf(em)).now,
  }));
  const rights = await rightsOf(
    ctx,
    found.flatMap(({ membershipId, operatorMembershipId }) => [membershipId, operatorMembershipId]),
  );
  const portals = new Map([...rights].map(([id, { membership }]) => [id, portalOf('STAFF', membership)]));
  const closed = await closedPortalsOf(ctx, [...portals.values()]);
  return found.flatMap((held) => {
    const user = people.find(({ id }) => id === held.userId);
    const operator = people.find(({ id }) => id === held.operatorId);
    const session = sessions.find(({ id }) => id === held.operatorSessionId);
    const member = rights.get(held.membershipId);
    if (!user || !member) return [];
    const isSignedIn =
      session?.membershipId === held.operatorMembershipId && !session.endReason && !overByTime(session, now);
    const isOperator = isSignedIn && operator?.state === 'ACTIVE' && mayAct(rights.get(held.operatorMembershipId));
    const isGood = held.state === 'LIVE' && held.endsAt > now && user.state === 'ACTIVE' && isOperator;
    return [underPortal(grantOf(held, user, member, isGood), portals.get(held.membershipId) ?? null, closed)];
  });
}

function mayAct(operator: MemberRights | undefined): boolean {
  if (operator?.membership.state !== 'ACTIVE') return false;
  return Object.values(RIGHT_TO_ACT).some((right) => operator.permissions.includes(right));
}

function grantOf(held: Impersonation, user: User, { membership, permissions }: MemberRights, isGood: boolean): Grant {
  const isThere = isGood && membership.state === 'ACTIVE';
  return {
    sessionId: held.id,
    state: isGood ? 'ACTIVE' : 'ENDED',
    endReason: isGood ? null : (held.endReason ?? 'OPERATOR_GONE'),
    userId: held.userId,
    realm: user.realm,
    provedMail: null,
    kind: kindOf(user.realm, membership),
    membershipId: membership.id,
    membershipVersion: membership.version,
    membershipState: membership.state,
    tenantId: held.homeId,
    customerId: membership.customerId ?? null,
    ...packPermissions(isThere ? leftWhileActing(permissions) : []),
    strongAt: null,
    proofs: [],
    mustDo: [],
    generation: 0,
    operatorId: held.operatorId,
    mode: held.mode,
    hangsOn: [
      `membership:${membership.id}`,
      `session:${held.operatorSessionId}`,
      `membership:${held.operatorMembershipId}`,
    ],
  };
}
