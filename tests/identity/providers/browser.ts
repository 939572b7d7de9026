import { createHash, randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { openFakeProvider } from '../../../subgraphs/identity/providers/fake-provider.ts';
import { ATLAS_SSO } from '../../../subgraphs/identity/providers/seed.ts';
import { withClient } from '../../setup/database.ts';
import { openGatewayWorld } from '../../setup/gateway.ts';
import { openFakeGithub } from '../../setup/github.ts';
import { tenantId } from '../trial.ts';

/** A page of a portal. */
export const PAGE = 'http://localhost:4000/signed-in?lang=pt';

export interface UserError {
  code: string;
  message: string;
  field: string | null;
}

export interface SignedIn {
  session: { accessToken: string; refreshToken: string; sessionId: string; tenant: { slug: string } | null } | null;
  challenge: { token: string; methods: string[] } | null;
  tenants: { tenant: { slug: string } | null }[];
  userErrors: UserError[];
}

const ERRORS = 'userErrors { code message field }';
const ANSWER = `{ session { accessToken refreshToken sessionId tenant { slug } } challenge { token methods } tenants { tenant { slug } } ${ERRORS} }`;

/** The whole product with a tenant's provider, Google and GitHub, all of them on this machine. */
export async function openProviderWorld() {
  const [sso, google, github] = [await openFakeProvider(), await openFakeProvider(), await openFakeGithub()];
  const running = await openGatewayWorld({
    GOOGLE_ISSUER: google.issuer,
    GOOGLE_CLIENT_ID: 'dotmac',
    GOOGLE_CLIENT_SECRET: 'of google',
    GITHUB_ISSUER: github.issuer,
    GITHUB_CLIENT_ID: 'dotmac',
    GITHUB_CLIENT_SECRET: 'of github',
  });
  const { world, client, gateway } = running;
  const sqlIn = (slug: 'atlas' | 'kestrel', text: string, values: unknown[] = []) =>
    withClient(world.databaseUrl, async (pg) => {
      await pg.query("select set_config('app.tenant_id', $1, false)", [tenantId(slug)]);
      return (await pg.query(text, values)).rows;
    });
  await sqlIn('atlas', 'update identity.sso_connection set issuer = $1 where id = $2', [sso.issuer, ATLAS_SSO]);

  const call = async <T>(door: string, type: string, selection: string, input: object, token?: string) => {
    const query = `mutation($input: ${type}!) { ${door}(input: $input) ${selection} }`;
    const { data, errors } = await client.post<Record<string, T>>(query, { input }, token);
    return { answer: data?.[door] as T, errors };
  };

  /** A browser: it keeps verifiers, and follows the addresses it is given. */
  const browser = {
    draw() {
      const verifier = randomBytes(32).toString('base64url');
      return { verifier, codeChallenge: createHash('sha256').update(verifier).digest('base64url') };
    },
    start: (given: object, token?: string) =>
      call<{ url: string | null; userErrors: UserError[] }>(
        'startOAuth',
        'StartOAuthInput',
        `{ url ${ERRORS} }`,
        { intent: 'SIGN_IN', returnTo: PAGE, transport: 'BODY', ...given },
        token,
      ),
    /** Goes to the provider as somebody; answers the address the provider sends them to. */
    async visit(url: string, email: string): Promise<URL> {
      const answered = await fetch(`${url}&login_hint=${encodeURIComponent(email)}`, { redirect: 'manual' });
      const back = new URL(String(answered.headers.get('location')));
      return new URL(`http://127.0.0.1:${gateway.port}${back.pathname}${back.search}`);
    },
    comeBack: (address: URL) => fetch(address, { redirect: 'manual' }),
    redeem: async (code: string, verifier: string, token?: string) =>
      (await call<SignedIn>('redeemSignIn', 'RedeemInput', ANSWER, { code, verifier }, token)).answer,
    /** All the way to the portal's page, whose parameters it answers. */
    async goAndReturn(connection: string, email: string, given: object = {}, token?: string) {
      const { verifier, codeChallenge } = browser.draw();
      const { answer } = await browser.start({ connection, codeChallenge, ...given }, token);
      expect(answer.userErrors).toEqual([]);
      const returned = await browser.comeBack(await browser.visit(String(answer.url), email));
      expect(returned.status).toBe(303);
      const page = new URL(String(returned.headers.get('location')));
      return { page, code: page.searchParams.get('code'), error: page.searchParams.get('error'), verifier };
    },
    async signIn(connection: string, email: string): Promise<SignedIn> {
      const { code, verifier } = await browser.goAndReturn(connection, email);
      return browser.redeem(String(code), verifier);
    },
    async link(connection: string, email: string, token: string) {
      const { code, verifier } = await browser.goAndReturn(connection, email, { intent: 'LINK' }, token);
      return call<{ isDone: boolean; userErrors: UserError[] }>(
        'linkIdentity',
        'RedeemInput',
        `{ isDone ${ERRORS} }`,
        { code, verifier },
        token,
      );
    },
  };
  const passwordOf = (email: string) =>
    call<SignedIn>('signIn', 'SignInInput', ANSWER, { email, password: running.password, transport: 'BODY' });
  return {
    ...running,
    sso,
    google,
    github,
    sqlIn,
    call,
    browser,
    signInByPassword: async (email: string) => (await passwordOf(email)).answer,
    async close() {
      await running.close();
      await Promise.all([sso.close(), google.close(), github.close()]);
    },
  };
}

export type ProviderWorld = Awaited<ReturnType<typeof openProviderWorld>>;
