import { createHash } from 'node:crypto';
import * as oidc from 'openid-client';
import { normalEmail } from '../user.rules.ts';
import { type Asserted, assertsSecondFactor, groupsOf } from './provider.rules.ts';
import type { ProviderClient, ProviderSettings } from './provider.service.ts';
import { isSecure, leadsOutside, PROVIDER_MS, PrivateAddress, publicFetch } from './public-fetch.ts';

/** What a provider says of itself is kept this long, milliseconds. */
const KEPT_MS = 600_000;
const MAX_KEPT = 1_000;

const kept = new Map<string, { until: number; configuration: Promise<oidc.Configuration> }>();

/** What a provider says of itself, asked when somebody first needs it; one that is away is asked again the next time. */
function configurationOf(settings: ProviderSettings): Promise<oidc.Configuration> {
  const key = createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
  const held = kept.get(key);
  if (held && held.until > performance.now()) return held.configuration;
  const configuration = discover(settings);
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value as string);
  kept.set(key, { until: performance.now() + KEPT_MS, configuration });
  configuration.catch(() => kept.delete(key));
  return configuration;
}

async function discover({ issuer, clientId, clientSecret, allowsLoopback }: ProviderSettings) {
  const isPlain = issuer.startsWith('http:');
  if (isPlain && !isSecure(new URL(issuer), allowsLoopback)) throw new PrivateAddress(`${issuer} is not public.`);
  const configuration = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    [oidc.customFetch]: publicFetch(allowsLoopback) as unknown as oidc.CustomFetch,
    timeout: PROVIDER_MS / 1_000,
    // Signatures are checked although the token comes over TLS: whoever may write into a provider's answers is not believed.
    execute: [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])],
  });
  const { authorization_endpoint: door } = configuration.serverMetadata();
  if (!door || !(await leadsOutside(new URL(door), allowsLoopback)))
    throw new PrivateAddress('The authorization endpoint is not public.');
  return configuration;
}

/** How far a provider is believed. */
interface Trust {
  /** Whether it knows that a mail it calls verified is whose it says. */
  isMailProof: boolean;
  /** Whether it speaks for many organisations, each of which is an issuer of its own, as Microsoft does. */
  isOfMany?: boolean;
}

export function oidcClient(settings: ProviderSettings, { isMailProof, isOfMany = false }: Trust): ProviderClient {
  return {
    async authorizationUrl({ redirectUri, state, nonce, verifier }) {
      const configuration = await configurationOf(settings);
      return oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href;
    },
    async identify({ redirectUri, state, nonce, verifier }, query) {
      const configuration = await configurationOf(settings);
      const tokens = await oidc.authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims() as oidc.IDToken;
      if (!isOfMany && claims.iss !== configuration.serverMetadata().issuer)
        throw new Error('The token is of another organisation than the provider.');
      const said = claims.email === undefined ? await userInfo(configuration, tokens.access_token, claims.sub) : claims;
      return assertedBy({ ...said, ...claims }, isMailProof);
    },
  };
}

/** Some providers tell the mail there alone. */
async function userInfo(configuration: oidc.Configuration, accessToken: string, subject: string): Promise<object> {
  if (!configuration.serverMetadata().userinfo_endpoint) return {};
  return oidc.fetchUserInfo(configuration, accessToken, subject);
}

function assertedBy(claims: Record<string, unknown> & { iss: string; sub: string }, isMailProof: boolean): Asserted {
  return {
    issuer: claims.iss,
    subject: claims.sub,
    // A mail the provider itself doubts is none.
    email: typeof claims.email === 'string' && claims.email_verified !== false ? normalEmail(claims.email) : null,
    isEmailVerified: isMailProof && claims.email_verified === true,
    hasSecondFactor: assertsSecondFactor(claims.amr),
    groups: groupsOf(claims),
  };
}
