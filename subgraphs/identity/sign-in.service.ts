import { badInput, unauthenticated } from '../../schema/errors.ts';
import { isPlain } from '../../schema/words.ts';
import type { Context } from '../_kernel/context.ts';
import { PLATFORM_TENANT } from '../_kernel/db.ts';
import type { Membership } from './membership.entity.ts';
import { everyPlaceOf, lastMembershipIdOf, type Place } from './place.service.ts';
import { type PasswordProof, provePassword } from './proof.service.ts';
import { renewProof } from './refresh.service.ts';
import type { SessionTokens } from './session.entity.ts';
import type { Transport } from './session.rules.ts';
import { openSession, selfOf } from './session.service.ts';
import { chooseMembership, usableOf } from './sign-in.rules.ts';
import { record } from './sign-in-record.service.ts';
import { readBriefly, tenantIdOf } from './tenant.service.ts';
import { issueTokens } from './token.service.ts';
import { User } from './user.entity.ts';
import type { Realm } from './user.rules.ts';

export interface SignInRequest {
  email: string;
  password: string;
  /** Slug of the ISP whose subscriber signs in; staff has none. */
  realm?: string | null;
  /** Slug of the tenant to begin in. */
  tenant?: string | null;
  transport: Transport;
}

export interface SignedIn {
  session: SessionTokens;
  /** The memberships the person may switch to. */
  tenants: Membership[];
}

/**
 * Signs somebody in by mail and password, into the tenant they ask for, their only one, or the one they used last;
 * otherwise into none, with the list to choose from.
 * Refuses INVALID for a wrong proof whatever is wrong with it, INVALID or INVALID_STATE with field `tenant` for a tenant
 * that has no place for them; throws RATE_LIMITED and OVERLOADED.
 */
export async function signIn(ctx: Context, asked: SignInRequest): Promise<SignedIn> {
  const { email, password, realm, tenant, transport } = asked;
  for (const text of [email, password, realm, tenant])
    if (text && !isPlain(text)) throw badInput('A text holds what no text can hold.');
  const proof = await provePassword(ctx, { realm: await realmOf(ctx, realm ?? null), email, password });
  const places = await everyPlaceOf(ctx, proof.user.id);
  const lastId = places.length > 1 ? await lastMembershipIdOf(ctx, proof.user.id) : null;
  const place = await choose(ctx, places, tenant ?? null, lastId, proof);
  const session = await issueTokens(ctx, await openSession(ctx, { ...proof, transport }, place));
  const tenants = usableOf(places).map(({ membership }) => Object.assign(membership, { user: proof.user }));
  return { session, tenants };
}

/** Staff, or the people of the ISP with this slug; a slug of none names a realm in which nobody is. */
export async function realmOf(ctx: Context, slug: string | null): Promise<Realm> {
  if (slug === null) return 'STAFF';
  return (await tenantIdOf(ctx, slug)) ?? `nowhere:${slug}`;
}

/** As the rule says; a refusal is written down, and clears the failures because the proof was right. */
async function choose(
  ctx: Context,
  places: Place[],
  slug: string | null,
  lastId: string | null,
  { user, settle }: PasswordProof,
): Promise<Place | null> {
  try {
    return chooseMembership(places, slug, lastId);
  } catch (refusal) {
    await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
      record(ctx, em, { outcome: 'NO_TENANT', method: 'PWD', userId: user.id });
      await settle(em); // the proof was right
    });
    throw refusal;
  }
}

/** Proves once more who asks, for the doors that want it fresh. Refuses and throws as `signIn` does. */
export async function stepUp(ctx: Context, password: string): Promise<SessionTokens> {
  if (!isPlain(password)) throw badInput('A text holds what no text can hold.');
  const { userId } = selfOf(ctx);
  const { realm, email } = await readBriefly(ctx, (em) => em.findOneOrFail(User, { id: userId }));
  if (email === null) throw unauthenticated('REVOKED');
  const { settle } = await provePassword(ctx, { realm, email, password });
  return renewProof(ctx, settle);
}
