import { badInput } from '../../schema/errors.ts';
import { isPlain } from '../../schema/words.ts';
import type { Context } from '../_kernel/context.ts';
import { afterFirstProof, type SignedIn } from './factors/first-proof.service.ts';
import { provePassword } from './proof.service.ts';
import type { Transport } from './session.rules.ts';
import { tenantIdOf } from './tenant.service.ts';
import type { Realm } from './user.rules.ts';

export interface SignInRequest {
  email: string;
  password: string;
  /** Slug of the ISP whose subscriber signs in; staff has none. */
  realm?: string | null;
  /** Slug of the tenant to begin in. */
  tenant?: string | null;
  /** Of an earlier sign-in on this device. */
  deviceMark?: string | null;
  transport: Transport;
}

/**
 * Signs somebody in by mail and password; see `afterFirstProof` for what comes then.
 * Refuses INVALID for a wrong proof whatever is wrong with it; throws RATE_LIMITED and OVERLOADED.
 */
export async function signIn(ctx: Context, asked: SignInRequest): Promise<SignedIn> {
  const { email, password, realm, tenant, transport, deviceMark } = asked;
  for (const text of [email, password, realm, tenant])
    if (text && !isPlain(text)) throw badInput('A text holds what no text can hold.');
  const proof = await provePassword(ctx, { realm: await realmOf(ctx, realm ?? null), email, password, deviceMark });
  return afterFirstProof(ctx, { ...proof, methods: ['PWD'], transport, tenant });
}

/** Staff, or the people of the ISP with this slug; a slug of none names a realm in which nobody is. */
export async function realmOf(ctx: Context, slug: string | null): Promise<Realm> {
  if (slug === null) return 'STAFF';
  return (await tenantIdOf(ctx, slug)) ?? `nowhere:${slug}`;
}
