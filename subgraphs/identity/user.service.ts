import { Refusal } from '../../schema/errors.ts';
import type { Context } from '../_kernel/context.ts';
import { Credential } from './credential.entity.ts';
import type { Membership } from './membership.entity.ts';
import { everyPlaceOf } from './place.service.ts';
import { boundTenantOf } from './providers/bound-session.service.ts';
import { Session } from './session.entity.ts';
import type { ProofMethod } from './session.rules.ts';
import { readGlobally } from './tenant.service.ts';
import { User } from './user.entity.ts';
import { checkDisplayName, normalEmail, type Realm } from './user.rules.ts';

export interface NewUser {
  id: string;
  realm: Realm;
  email: string;
  displayName: string;
  locale: string;
  /** Of their password, as `hashPassword` makes it. */
  hash: string;
}

/** Writes a person down with their password, their mail taken as proved. Refuses INVALID for a malformed mail or name. */
export function addUser(ctx: Context, { hash, ...asked }: NewUser): Promise<User> {
  return ctx.tx(async (em) => {
    const email = normalEmail(asked.email);
    if (!email) throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
    const at = ctx.now();
    const user = em.create(User, {
      ...asked,
      email,
      displayName: checkDisplayName(asked.displayName),
      isEmailVerified: true,
      state: 'ACTIVE',
      passwordChangedAt: at,
      createdAt: at,
    });
    em.persist(user);
    await em.flush();
    em.persist(em.create(Credential, { userId: user.id, hash }));
    return user;
  });
}

/** Who asks; null for everybody who is no signed-in person. */
export async function whoAsks(ctx: Context): Promise<User | null> {
  const { kind, id } = ctx.envelope.caller;
  return kind === 'USER' && id ? readGlobally(ctx, (em) => em.findOne(User, { id })) : null;
}

/**
 * The memberships of who asks, over all tenants; over one in a session that cannot leave it. One that comes with a role
 * elsewhere is left out until it is asked from, and whoever acts in their name sees the one they act in.
 */
export async function myMemberships(ctx: Context, me: User): Promise<Membership[]> {
  const { actingFor, membershipId } = ctx.envelope;
  const boundTo = await boundTenantOf(ctx);
  return (await everyPlaceOf(ctx, me.id))
    .filter(({ membership }) => boundTo === null || membership.homeId === boundTo)
    .filter(({ id, isBeside }) => id === membershipId || !(actingFor || isBeside))
    .map(({ membership }) => Object.assign(membership, { user: me }));
}

/** How who asks proved it, in the session that asks. */
export async function myMethods(ctx: Context): Promise<ProofMethod[]> {
  const { sessionId } = ctx.envelope;
  const session = sessionId && (await readGlobally(ctx, (em) => em.findOne(Session, { id: sessionId })));
  return session ? session.methods : [];
}
