import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Account {
  id: unknown;
  email: string;
  verified: boolean;
}

/** A GitHub on this machine: OAuth with PKCE, without OpenID, and the two addresses of its API we ask. */
export async function openFakeGithub() {
  const accounts = new Map<string, Account>();
  const codes = new Map<string, { login: string; challenge: string }>();
  const tokens = new Map<string, Account>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', github.issuer);
    const json = (body: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/login/oauth/authorize') {
      const code = randomBytes(8).toString('hex');
      const of = (name: string) => url.searchParams.get(name) ?? '';
      codes.set(code, { login: of('login_hint'), challenge: of('code_challenge') });
      const back = new URL(of('redirect_uri'));
      back.search = new URLSearchParams({ code, state: of('state') }).toString();
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/login/oauth/access_token') {
      let body = '';
      for await (const chunk of request) body += chunk;
      const asked = new URLSearchParams(body);
      const granted = codes.get(asked.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(asked.get('code_verifier') ?? '')
        .digest('base64url');
      const account = granted && accounts.get(granted.login);
      if (!account || granted.challenge !== challenge) return json({ error: 'bad_verification_code' });
      const token = randomBytes(8).toString('hex');
      tokens.set(token, account);
      return json({ access_token: token, token_type: 'bearer' });
    }
    const account = tokens.get(String(request.headers.authorization).replace('Bearer ', ''));
    if (!account) return json({ message: 'Bad credentials' }, 401);
    if (url.pathname === '/api/v3/user') return json({ id: account.id, login: 'somebody' });
    return json([{ email: account.email, primary: true, verified: account.verified }]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const github = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accounts,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return github;
}
