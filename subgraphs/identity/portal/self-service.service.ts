import type { Context } from '../../_kernel/context.ts';
import type { Grant } from '../grant.entity.ts';
import type { MembershipKind } from '../membership.rules.ts';
import { portalClosed } from '../sign-in.rules.ts';
import { profilesOf } from '../tenant.service.ts';
import type { Realm } from '../user.rules.ts';

/** The tenant in whose portal somebody is: by their membership, or while none is chosen by whose people they are. */
export function portalOf(realm: Realm, membership: { kind: MembershipKind; homeId: string } | null): string | null {
  if (membership) return membership.kind === 'PORTAL' ? membership.homeId : null;
  return realm === 'STAFF' ? null : realm;
}

/** Those of these tenants whose customers may not serve themselves now (`portal.self_service`, identity R6). */
export async function closedPortalsOf(ctx: Context, tenantIds: readonly (string | null)[]): Promise<Set<string>> {
  const asked = [...new Set(tenantIds)].filter((id) => id !== null);
  if (asked.length === 0) return new Set();
  const profiles = await ctx.acrossTenants((em) => profilesOf(em, asked));
  return new Set([...profiles.values()].filter(({ isPortalOpen }) => !isPortalOpen).map(({ id }) => id));
}

/** A portal's people are stopped while it is closed, and go on when it opens: their sessions stay as they are. */
export function underPortal<G extends Pick<Grant, 'state' | 'endReason' | 'hangsOn'>>(
  grant: G,
  portal: string | null,
  closed: ReadonlySet<string>,
): G {
  if (portal === null) return grant;
  const hangsOn = [...grant.hangsOn, `portal:${portal}`];
  if (grant.state === 'ENDED' || !closed.has(portal)) return { ...grant, hangsOn };
  return { ...grant, hangsOn, state: 'ENDED', endReason: 'PORTAL_CLOSED' };
}

/** Refuses INVALID_STATE the people of an ISP whose portal is closed; staff never. */
export async function refuseWhilePortalIsClosed(ctx: Context, realm: Realm, field?: string): Promise<void> {
  const closed = await closedPortalsOf(ctx, [portalOf(realm, null)]);
  if (closed.size > 0) throw portalClosed(field);
}
