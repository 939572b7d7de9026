import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { Membership } from './membership.entity.ts';
import type { Policy } from './policy/sign-in-policy.rules.ts';
import { policyIn } from './policy/sign-in-policy.service.ts';
import { Session } from './session.entity.ts';
import type { Candidate } from './sign-in.rules.ts';
import { PROFILE, profileIn, readBriefly } from './tenant.service.ts';

/** A membership with the tenant it is in and its policy: where a person may go. */
export interface Place extends Candidate {
  membership: Membership;
  policy: Policy;
}

/**
 * All memberships of a person that have not ended, over all tenants: for whoever asks, and to know whether somebody is of one
 * tenant alone.
 */
export function everyPlaceOf(ctx: Context, userId: string): Promise<Place[]> {
  return ctx.acrossTenants(async (em) => {
    const rows = await em.execute(
      `select to_jsonb(m) as membership, ${PROFILE}, to_jsonb(s) as policy
         from identity.membership m
         join kernel.tenant_profile p on p.tenant_id = m.tenant_id
         left join identity.sign_in_policy s on s.tenant_id = m.tenant_id
        where m.user_id = ? and m.state <> 'ENDED' order by m.id`,
      [userId],
    );
    return rows.map((row) => placeIn(em, row));
  });
}

function placeIn(em: EntityManager, row: Record<string, unknown>): Place {
  const profile = profileIn(row);
  const membership = em.map(Membership, row.membership as never);
  membership.tenant = profile;
  const { id, state, roles, homeId, kind } = membership;
  const { slug, state: tenantState, isPortalOpen } = profile;
  const isBeside = kind === 'PORTAL' && homeId === PLATFORM_TENANT;
  const isClosed = kind === 'PORTAL' && !isPortalOpen;
  const policy = policyIn(em, row.policy as object | null);
  return { id, state, roles, slug, tenantState, isBeside, isClosed, membership, policy };
}

/** The membership a person used last, whatever has become of it. */
export function lastMembershipIdOf(ctx: Context, userId: string): Promise<string | null> {
  return readBriefly(ctx, async (em) => {
    const last = await em.findOne(
      Session,
      { userId, membershipId: { $ne: null } },
      { orderBy: { lastUsedAt: 'desc' } },
    );
    return last?.membershipId ?? null;
  });
}
