import type { Context } from '../../_kernel/context.ts';
import { countALook } from '../accounts/throttle.service.ts';
import type { ProofMethod } from '../session.rules.ts';
import { readBriefly } from '../tenant.service.ts';
import { normalEmail } from '../user.rules.ts';
import type { Provider } from './provider.rules.ts';
import { commonProviders } from './provider.service.ts';
import { provedDomainOf } from './required-sso.service.ts';

export interface SignInMethods {
  methods: ProofMethod[];
  providers: { connection: string; provider: Provider }[];
  isSsoRequired: boolean;
}

/**
 * How somebody with such a mail may sign in: by the domain of the mail alone, so that it tells nothing of whether there is an
 * account. Throws RATE_LIMITED for an address that looks too often.
 */
export async function signInMethods(ctx: Context, realm: string | null, email: string | null): Promise<SignInMethods> {
  await countALook(ctx);
  const whose = realm === null ? 'STAFF' : 'another';
  const mail = email === null ? null : normalEmail(email);
  const domain = await readBriefly(ctx, (em) => provedDomainOf(em, whose, mail));
  const own =
    domain?.isOffered && domain.connectionId ? [{ connection: domain.connectionId, provider: 'SSO' as const }] : [];
  const common = commonProviders(ctx);
  return {
    methods: [
      ...(['PWD', 'KEY'] as const),
      ...(common.length > 0 ? (['OAUTH'] as const) : []),
      ...(own.length > 0 ? (['SSO'] as const) : []),
    ],
    providers: [...own, ...common],
    isSsoRequired: domain?.isRequired ?? false,
  };
}
