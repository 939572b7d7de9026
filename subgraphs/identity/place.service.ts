import type { Context } from '../_kernel/context.ts';
import { PLATFORM_TENANT } from '../_kernel/db.ts';
import { Membership } from './membership.entity.ts';
import { DEFAULT_POLICY, type Policy } from './policy/sign-in-policy.rules.ts';
import { policiesOf } from './policy/sign-in-policy.service.ts';
import { Session } from './session.entity.ts';
import type { Candidate } from './sign-in.rules.ts';
import { profilesOf, readBriefly } from './tenant.service.ts';

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
    const all = await em.find(Membership, { userId, state: { $ne: 'ENDED' } }, { orderBy: { id: 'asc' } });
    const homeIds = all.map(({ homeId }) => homeId);
    const profiles = await profilesOf(em, homeIds);
    const policies = await policiesOf(em, homeIds);
    return all.flatMap((membership) => {
      const profile = profiles.get(membership.homeId);
      if (!profile) return [];
      membership.tenant = profile;
      const { id, state, roles, homeId, kind } = membership;
      const policy = policies.get(homeId) ?? DEFAULT_POLICY;
      const { slug, state: tenantState, isPortalOpen } = profile;
      const isBeside = kind === 'PORTAL' && homeId === PLATFORM_TENANT;
      const isClosed = kind === 'PORTAL' && !isPortalOpen;
      return [{ id, state, roles, slug, tenantState, isBeside, isClosed, membership, policy }];
    });
  });
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
