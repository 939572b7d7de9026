import { createHmac } from 'node:crypto';
import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { type BucketPolicy, claim, isLocked, prefixOf } from '../sign-in-bucket.rules.ts';
import { lockBucket } from '../sign-in-bucket.service.ts';
import { readBriefly } from '../tenant.service.ts';
import { macKey } from '../token.service.ts';
import { normalEmail } from '../user.rules.ts';
import { type Provider } from './provider.rules.ts';
import { commonProviders } from './provider.service.ts';
import { provedDomainOf } from './required-sso.service.ts';

export interface SignInMethods {
  isPasswordOffered: boolean;
  isPasskeyOffered: boolean;
  providers: { connection: string; provider: Provider }[];
  isSsoRequired: boolean;
}

/** Thirty looks a minute from one address. */
const LOOKS: BucketPolicy = { most: 30, withinMinutes: 1, lockMinutes: [1] };

/**
 * How somebody with such a mail may sign in: by the domain of the mail alone, so that it tells nothing of whether there is an
 * account. Throws RATE_LIMITED for an address that looks too often.
 */
export async function signInMethods(ctx: Context, realm: string | null, email: string | null): Promise<SignInMethods> {
  await countLook(ctx);
  const whose = realm === null ? 'STAFF' : 'another';
  const mail = email === null ? null : normalEmail(email);
  const domain = await readBriefly(ctx, (em) => provedDomainOf(em, whose, mail));
  const own =
    domain?.isOffered && domain.connectionId ? [{ connection: domain.connectionId, provider: 'SSO' as const }] : [];
  return {
    isPasswordOffered: true,
    isPasskeyOffered: true,
    providers: [...own, ...commonProviders(ctx)],
    isSsoRequired: domain?.isRequired ?? false,
  };
}

async function countLook(ctx: Context): Promise<void> {
  const { address } = ctx.envelope;
  if (address === undefined) return;
  const key = createHmac('sha256', macKey(ctx))
    .update(`looks|${prefixOf(address)}`)
    .digest('base64url');
  const isFree = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const { held, now } = await lockBucket(em, `looks:${key}`);
    if (isLocked(held, now)) return false;
    Object.assign(held, claim(held, LOOKS, now));
    return true;
  });
  if (!isFree) throw new ClientError('RATE_LIMITED', 'Too many came from your network. Please try again in a minute.');
}
