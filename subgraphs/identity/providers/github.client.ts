import { createHash } from 'node:crypto';
import { normalEmail } from '../user.rules.ts';
import type { ProviderClient, ProviderSettings, Round } from './provider.service.ts';
import { publicFetch } from './public-fetch.ts';

interface GithubMail {
  email: string;
  primary: boolean;
  verified: boolean;
}

/** GitHub speaks OAuth without OpenID: no discovery and no ID token, and people are known by their numeric id. */
export function githubClient({ issuer, clientId, clientSecret, allowsLoopback }: ProviderSettings): ProviderClient {
  const fetch = publicFetch(allowsLoopback);
  const api = issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`;

  const ask = async <T>(url: string, init: object): Promise<T> => {
    const response = await fetch(url, init);
    if (!response.ok) throw new Error(`GitHub answered ${response.status}.`);
    return (await response.json()) as T;
  };

  const tokenFor = async (code: string, { redirectUri, verifier }: Round): Promise<string> => {
    const { access_token: token } = await ask<{ access_token?: unknown }>(`${issuer}/login/oauth/access_token`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }).toString(),
    });
    if (typeof token !== 'string') throw new Error('GitHub gave no token.');
    return token;
  };

  return {
    async authorizationUrl({ redirectUri, state, verifier }) {
      const url = new URL(`${issuer}/login/oauth/authorize`);
      url.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'read:user user:email',
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      }).toString();
      return url.href;
    },
    async identify(round, query) {
      const code = new URLSearchParams(query).get('code');
      if (!code) throw new Error('GitHub sent somebody back without a code.');
      const headers = { authorization: `Bearer ${await tokenFor(code, round)}`, accept: 'application/json' };
      const { id } = await ask<{ id?: unknown }>(`${api}/user`, { headers });
      if (!Number.isSafeInteger(id)) throw new Error('GitHub named nobody.');
      const mails = await ask<GithubMail[]>(`${api}/user/emails`, { headers });
      const own = mails.find(({ primary }) => primary);
      return {
        issuer,
        subject: String(id),
        email: own ? normalEmail(own.email) : null,
        isEmailVerified: own?.verified === true,
        hasSecondFactor: false,
        groups: [],
      };
    },
  };
}
