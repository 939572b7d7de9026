import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { trimmed } from '../../../schema/words.ts';
import { type Context, systemContext } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { Membership } from '../membership.entity.ts';
import { addMember } from '../membership.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { linkOf } from './link.service.ts';
import { notLinked } from './provider.rules.ts';
import type { SsoConnection } from './sso-connection.entity.ts';
import { rolesBy } from './sso-connection.rules.ts';
import type { Visited } from './visit.service.ts';

export interface FoundMember {
  user: User;
  /** Whether they have signed in so before. */
  isLinked: boolean;
}

/**
 * The person a tenant's provider names, who is staff of that tenant: linked already, or by their mail. Where the connection
 * makes members, whoever is none becomes one, with the roles its map gives. Refuses INVALID for anybody else; throws
 * QUOTA_EXCEEDED where the plan has no seat for them.
 */
export async function memberBySso(ctx: Context, visit: Visited, sso: SsoConnection): Promise<FoundMember> {
  const { user, isLinked } = await readBriefly(ctx, (em) => personOf(em, visit));
  if (user && user.state !== 'ACTIVE') throw notLinked();
  if (user && (await isMemberOf(ctx, user.id, sso.homeId))) return { user, isLinked };
  if (!sso.createsMembers) throw notLinked();
  return { user: await join(ctx, user, visit, sso), isLinked };
}

async function personOf(
  em: EntityManager,
  { issuer, subject, email }: Visited,
): Promise<{ user: User | null; isLinked: boolean }> {
  const link = await linkOf(em, issuer, subject);
  if (link) return { user: await em.findOneOrFail(User, { id: link.userId }), isLinked: true };
  return { user: email ? await em.findOne(User, { realm: 'STAFF', email }) : null, isLinked: false };
}

/** Also who is suspended or frozen there: they have a membership, and are told at the next step. */
async function isMemberOf(ctx: Context, userId: string, tenantId: string): Promise<boolean> {
  const found = await ctx.acrossTenants((em) =>
    em.findOne(Membership, { userId, homeId: tenantId, kind: 'STAFF', state: { $ne: 'ENDED' } }),
  );
  return found !== null;
}

async function join(ctx: Context, known: User | null, visit: Visited, sso: SsoConnection): Promise<User> {
  const roles = rolesBy(sso.roleMap, visit.groups);
  if (roles.length === 0) throw new Refusal('INVALID', 'Your provider gives you no role here.');
  const home = await systemContext(ctx.machinery, sso.homeId);
  try {
    return await home.tx(async (em) => {
      const user = known ?? newPerson(home, em, visit);
      await em.flush();
      await addMember(home, { id: uuidv7(), userId: user.id, kind: 'STAFF', roles });
      return user;
    });
  } finally {
    await home.end();
  }
}

function newPerson(ctx: Context, em: EntityManager, { email }: Visited): User {
  const address = String(email);
  const user = em.create(User, {
    ...{ id: uuidv7(), realm: 'STAFF', email: address, isEmailVerified: true, locale: 'en', state: 'ACTIVE' },
    displayName: trimmed(address.split('@')[0] ?? address),
    passwordChangedAt: null,
    createdAt: ctx.now(),
  });
  em.persist(user);
  return user;
}
