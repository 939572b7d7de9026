import { LockMode } from '@mikro-orm/core';
import { overloaded } from '../../schema/errors.ts';
import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { Membership } from './membership.entity.ts';
import { DEFAULT_POLICY, type Policy } from './policy/sign-in-policy.rules.ts';
import { policyIn } from './policy/sign-in-policy.service.ts';
import { Session } from './session.entity.ts';
import { type EndReason, standingFault } from './session.rules.ts';
import { PRESENT, PRESENT_FROM, type Present, presentIn, readBriefly } from './tenant.service.ts';
import type { User } from './user.entity.ts';

/** How often a session may be met on its way to another tenant before we give up. */
const MOVES = 3;

/** Runs in a transaction of the tenant a session is for, with its row locked; null when there is no such session. */
export async function inSession<T>(
  ctx: Context,
  id: string,
  run: (em: EntityManager, session: Session) => Promise<T>,
): Promise<T | null> {
  for (let tries = 0; tries < MOVES; tries += 1) {
    const seen = await readBriefly(ctx, (em) => em.findOne(Session, { id }));
    if (!seen) return null;
    const outcome = await ctx.inTenant(seen.homeId ?? PLATFORM_TENANT).tx(async (em) => {
      const session = await em.findOne(Session, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      return session?.homeId === seen.homeId ? { value: await run(em, session) } : null;
    });
    if (outcome) return outcome.value;
  }
  throw overloaded();
}

/** Of a person, as far as it matters here. */
type Who = Pick<User, 'id' | 'realm' | 'email' | 'state'>;

export interface PresentStanding extends Present {
  user: Who;
  realm: string;
  membership: Membership | null;
  /** Of the tenant; the default while none is chosen. */
  policy: Policy;
  fault: EndReason | null;
}

/** How a person stands in the tenant of this transaction, as far as a session cares. */
export async function standingIn(
  em: EntityManager,
  userId: string,
  membershipId: string | null,
  lockMode?: LockMode,
): Promise<PresentStanding> {
  const found =
    membershipId === null
      ? null
      : await em.findOne(Membership, { id: membershipId, userId }, lockMode === undefined ? {} : { lockMode });
  const { user, policy, ...present } = await readAround(em, userId);
  const membership = membershipId === null ? null : (found ?? { kind: 'STAFF' as const, state: 'ENDED', roles: [] });
  const { tenantState, isPortalOpen } = present;
  const fault = standingFault({ userState: user.state, membership, tenantState, isPortalOpen });
  return { ...present, user, realm: user.realm, membership: found, policy: found ? policy : DEFAULT_POLICY, fault };
}

/** The person, the tenant of this transaction and its policy: one trip to the database for all. */
async function readAround(em: EntityManager, userId: string) {
  const [row] = await em.execute(
    `select u.id, u.realm, u.email, u.state, ${PRESENT}, to_jsonb(s) as policy
       from ${PRESENT_FROM} join identity.user u on u.id = ? left join identity.sign_in_policy s on true`,
    [userId],
  );
  if (!row) throw new Error(`There is no user ${userId}.`);
  const { id, realm, email, state } = row;
  return { ...presentIn(row), user: { id, realm, email, state } as Who, policy: policyIn(em, row.policy) };
}
