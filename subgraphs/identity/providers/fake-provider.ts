import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { authorizePage } from './fake-provider.page.ts';

/** What the provider says that an honest one would not, or how it fails. Claims replace those of the token. */
export interface ProviderLies {
  claims?: Record<string, unknown>;
  isUnsigned?: boolean;
  isForeignKey?: boolean;
  isDown?: boolean;
  delayMs?: number;
}

export interface FakeProvider {
  issuer: string;
  /** Holds from the next request on. */
  lies: ProviderLies;
  /** Beside who somebody is: groups, or how they proved it. */
  claims: Record<string, unknown>;
  close(): Promise<void>;
}

interface Granted {
  email: string;
  clientId: string;
  redirectUri: string;
  nonce: string;
  challenge: string;
}

const KID = 'example';
const TOKEN_S = 300;

/**
 * An OpenID provider on this machine that speaks the real protocol: discovery, keys, authorization with PKCE, tokens and user
 * info. It knows no passwords: whoever names a mail is taken for its owner, so it is for development and test alone.
 * @param port 0 for any that is free. Rejects when it is taken.
 */
export async function openFakeProvider(port = 0): Promise<FakeProvider> {
  const [own, foreign] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const jwk = { ...(await exportJWK(own.publicKey)), kid: KID, alg: 'ES256', use: 'sig' };
  const codes = new Map<string, Granted>();
  const mails = new Map<string, string>();

  const metadata = () => ({
    issuer: provider.issuer,
    authorization_endpoint: `${provider.issuer}/authorize`,
    token_endpoint: `${provider.issuer}/token`,
    userinfo_endpoint: `${provider.issuer}/userinfo`,
    jwks_uri: `${provider.issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    authorization_response_iss_parameter_supported: true,
  });

  const idToken = ({ email, clientId, nonce }: Granted): Promise<string> | string => {
    const now = Math.floor(Date.now() / 1_000);
    const honest = { iss: provider.issuer, aud: clientId, sub: subjectOf(email), nonce, iat: now, exp: now + TOKEN_S };
    const claims = { ...honest, email, email_verified: true, ...provider.claims, ...provider.lies.claims };
    if (provider.lies.isUnsigned) return `${encoded({ alg: 'none', kid: KID })}.${encoded(claims)}.`;
    const key = provider.lies.isForeignKey ? foreign.privateKey : own.privateKey;
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: KID }).sign(key);
  };

  const authorize = (asked: URLSearchParams, response: ServerResponse) => {
    const email = asked.get('login_hint');
    if (!email) return void response.writeHead(200, { 'content-type': 'text/html' }).end(authorizePage(asked));
    const code = randomBytes(16).toString('base64url');
    const of = (name: string) => asked.get(name) ?? '';
    const [clientId, redirectUri] = [of('client_id'), of('redirect_uri')];
    codes.set(code, { email, clientId, redirectUri, nonce: of('nonce'), challenge: of('code_challenge') });
    const location = new URL(redirectUri);
    location.search = new URLSearchParams({ code, state: of('state'), iss: provider.issuer }).toString();
    response.writeHead(302, { location: location.href }).end();
  };

  const exchange = async (asked: URLSearchParams) => {
    const code = asked.get('code') ?? '';
    const granted = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url');
    const isTheirs = granted?.challenge === challenge && granted.redirectUri === asked.get('redirect_uri');
    if (!granted || !isTheirs || asked.get('client_id') !== granted.clientId || !asked.get('client_secret'))
      return null;
    const token = randomBytes(16).toString('base64url');
    mails.set(token, granted.email);
    return { access_token: token, token_type: 'Bearer', expires_in: TOKEN_S, id_token: await idToken(granted) };
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { delayMs, isDown } = provider.lies;
    if (delayMs) await sleep(delayMs, undefined, { ref: false });
    if (isDown) return void response.writeHead(503).end();
    const url = new URL(request.url ?? '/', provider.issuer);
    if (url.pathname === '/.well-known/openid-configuration') return json(response, metadata());
    if (url.pathname === '/jwks') return json(response, { keys: [jwk] });
    if (url.pathname === '/authorize') return authorize(url.searchParams, response);
    if (url.pathname === '/token') {
      const tokens = await exchange(new URLSearchParams(await bodyOf(request)));
      return json(response, tokens ?? { error: 'invalid_grant' }, tokens ? 200 : 400);
    }
    const email = mails.get(String(request.headers.authorization).replace('Bearer ', ''));
    if (url.pathname === '/userinfo' && email) return json(response, { sub: subjectOf(email), email });
    response.writeHead(404).end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => Promise.reject(error))]);
  server.unref();
  const provider: FakeProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies: {},
    claims: {},
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return provider;
}

const subjectOf = (email: string) => createHash('sha256').update(email).digest('hex').slice(0, 24);
const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
