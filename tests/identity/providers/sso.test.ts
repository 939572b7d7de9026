import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { ATLAS_SSO } from '../../../subgraphs/identity/providers/seed.ts';
import { openProviderWorld, PAGE, type ProviderWorld } from './browser.ts';

let open: ProviderWorld;

beforeAll(async () => {
  open = await openProviderWorld();
}, 120_000);
afterAll(() => open.close());

const LIA = 'lia@atlas.example';
const sentence = ({ userErrors }: { userErrors: { code: string; message: string }[] }) => userErrors[0]?.message;

describe("a tenant's own provider", () => {
  test('signs Lia in to atlas, and the address of the page holds a code and no token', async () => {
    const { page, code, verifier } = await open.browser.goAndReturn(ATLAS_SSO, LIA);
    expect(page.href.startsWith(PAGE)).toBe(true);
    expect(page.href).not.toMatch(/isp_rt_|eyJ/);
    const { session, tenants, userErrors } = await open.browser.redeem(String(code), verifier);
    expect(userErrors).toEqual([]);
    expect(session?.tenant?.slug).toBe('atlas');
    expect(tenants).toHaveLength(1);
    const me = await open.client.post('{ me { user { email } methods tenant { slug } } }', {}, session?.accessToken);
    expect(me.data).toEqual({ me: { user: { email: LIA }, methods: ['SSO'], tenant: { slug: 'atlas' } } });
  });

  test('opens a session that cannot step up, switch or link', async () => {
    const { session } = await open.browser.signIn(ATLAS_SSO, LIA);
    const token = String(session?.accessToken);
    const steps = await open.call<{ userErrors: { code: string }[] }>(
      'stepUp',
      'StepUpInput',
      '{ userErrors { code message } }',
      { password: open.password },
      token,
    );
    expect(steps.answer.userErrors[0]?.code).toBe('INVALID_STATE');
    const switches = await open.call<{ userErrors: { code: string; message: string }[] }>(
      'switchTenant',
      'SwitchTenantInput',
      '{ userErrors { code message } }',
      { tenantId: seedId('0a05') },
      token,
    );
    expect(sentence(switches.answer)).toBe("A sign-in by a tenant's own provider is for that tenant alone.");
    const links = await open.call('unlinkIdentity', 'IdInput', '{ isDone }', { id: seedId('1') }, token);
    expect(links.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'STEP_UP' });
    const { verifier: _, codeChallenge } = open.browser.draw();
    const start = await open.browser.start({ connection: 'google', intent: 'LINK', codeChallenge }, token);
    expect(start.answer.userErrors[0]?.code).toBe('INVALID_STATE');
  });

  test('shows nothing of what the person is elsewhere', async () => {
    const northwind = seedId('0a02');
    await open.world.sql(
      `with set as (select set_config('app.tenant_id', $1, false))
       insert into identity.membership (tenant_id, id, user_id, kind, roles, state)
       select $1::uuid, $2, $3, 'STAFF', '{dispatcher}', 'ACTIVE' from set`,
      [northwind, seedId('60720002'), seedId('6072')],
    );
    const { session, tenants } = await open.browser.signIn(ATLAS_SSO, LIA);
    expect(tenants).toHaveLength(1);
    const me = await open.client.post<{ me: { memberships: unknown[] } }>(
      '{ me { memberships { id } } }',
      {},
      session?.accessToken,
    );
    expect(me.data?.me.memberships).toHaveLength(1);
  });

  test('is asked for, so that the password of Lia is refused and that of Bruno, named for emergencies, is not', async () => {
    expect(sentence(await open.signInByPassword(LIA))).toBe(
      'Your organisation has its people sign in with its own provider.',
    );
    expect((await open.signInByPassword('bruno@atlas.example')).session?.tenant?.slug).toBe('atlas');
    const wrong = await open.client.post<{ signIn: { userErrors: { message: string }[] } }>(
      'mutation($input: SignInInput!) { signIn(input: $input) { userErrors { message } } }',
      { input: { email: LIA, password: 'not the right one', transport: 'BODY' } },
    );
    expect(sentence(wrong.data?.signIn as never)).toBe('E-mail or password is not right.');
  });

  test('no longer exempts whoever was named once they are no administrator', async () => {
    const set = (role: string) =>
      open.sqlIn('atlas', 'update identity.membership set roles = $1 where user_id = $2', [[role], seedId('6071')]);
    await set('sales');
    const refused = await open.signInByPassword('bruno@atlas.example');
    await set('tenant_admin');
    expect(refused.session).toBeNull();
  });

  test('ends a session that a password opened, at its next refresh', async () => {
    const require = (is: boolean) =>
      open.world.sql('update identity.email_domain set is_required = $1 where domain = $2', [is, 'atlas.example']);
    await require(false);
    const { session } = await open.signInByPassword(LIA);
    await require(true);
    const { answer } = await open.call<{ session: object | null; userErrors: { code: string; message: string }[] }>(
      'refreshSession',
      'RefreshInput',
      '{ session { sessionId } userErrors { code message } }',
      { refreshToken: session?.refreshToken },
    );
    expect(answer.session).toBeNull();
    expect(sentence(answer)).toBe('Please sign in again.');
  });

  test('that vouches for a second factor is asked for none of ours', async () => {
    open.sso.claims = { amr: ['pwd', 'mfa'] };
    const { session } = await open.browser.signIn(ATLAS_SSO, LIA);
    open.sso.claims = {};
    const [row] = await open.world.sql('select methods, strong_at from identity.session where id = $1', [
      session?.sessionId,
    ]);
    expect(row).toEqual({ methods: ['SSO', 'OTP'], strong_at: null });
  });
});

describe('a provider that lies', () => {
  const now = () => Math.floor(Date.now() / 1_000);
  const LIES = {
    'another issuer': { claims: { iss: 'https://login.atlas.example' } },
    'another nonce': { claims: { nonce: 'of somebody else' } },
    'another audience': { claims: { aud: 'another client' } },
    'an expired token': { claims: { iat: now() - 900, exp: now() - 600 } },
    'a token nobody signed': { isUnsigned: true },
    'a token signed by another': { isForeignKey: true },
    'nothing, being down': { isDown: true },
  };

  for (const [what, lies] of Object.entries(LIES))
    test(`lets nobody in who brings ${what}`, async () => {
      const { verifier: _, codeChallenge } = open.browser.draw();
      const { answer } = await open.browser.start({ connection: ATLAS_SSO, codeChallenge });
      const address = await open.browser.visit(String(answer.url), LIA);
      open.sso.lies = lies;
      const returned = await open.browser.comeBack(address);
      open.sso.lies = {};
      const page = new URL(String(returned.headers.get('location')));
      expect([page.searchParams.get('error'), page.searchParams.get('code')]).toEqual(['provider', null]);
      const [row] = await open.world.sql(
        'select outcome, method from identity.sign_in_record order by at desc limit 1',
      );
      expect(row).toEqual({ outcome: 'PROVIDER', method: 'SSO' });
    });

  test('lets nobody in who brings a mail outside the proved domains', async () => {
    const refused = await open.browser.signIn(ATLAS_SSO, 'ingrid@northwind.example');
    expect(refused.session).toBeNull();
    expect(sentence(refused)).toBe("This mail is in none of the provider's domains.");
  });

  test('lets nobody in by a mail the provider itself has not verified', async () => {
    open.sso.claims = { email_verified: false };
    const refused = await open.browser.signIn(ATLAS_SSO, LIA);
    open.sso.claims = {};
    expect(sentence(refused)).toBe("This mail is in none of the provider's domains.");
  });

  test('creates nobody: who is no member is not let in', async () => {
    const refused = await open.browser.signIn(ATLAS_SSO, 'nobody@atlas.example');
    expect(sentence(refused)).toBe('This account is not linked yet.');
    expect(await open.world.sql("select from identity.user where email = 'nobody@atlas.example'")).toEqual([]);
  });

  test('that does not answer at all costs seconds and no more', async () => {
    const { verifier: _, codeChallenge } = open.browser.draw();
    const { answer } = await open.browser.start({ connection: ATLAS_SSO, codeChallenge });
    const address = await open.browser.visit(String(answer.url), LIA);
    open.sso.lies = { delayMs: 20_000 };
    const startedAt = performance.now();
    const returned = await open.browser.comeBack(address);
    open.sso.lies = {};
    expect(String(returned.headers.get('location'))).toContain('error=provider');
    expect(performance.now() - startedAt).toBeLessThan(9_000);
  });
});

describe('a return', () => {
  test('begun in another browser is worth nothing there', async () => {
    const { code } = await open.browser.goAndReturn(ATLAS_SSO, LIA);
    const other = await open.browser.redeem(String(code), open.browser.draw().verifier);
    expect(other.session).toBeNull();
    expect(other.userErrors[0]).toMatchObject({ code: 'INVALID', message: 'This link no longer works.' });
  });

  test('leaves the session alone it came to', async () => {
    const { session } = await open.signInByPassword('bruno@atlas.example');
    const { code } = await open.browser.goAndReturn(ATLAS_SSO, LIA);
    await open.browser.redeem(String(code), open.browser.draw().verifier, session?.accessToken);
    const me = await open.client.post('{ me { user { email } } }', {}, session?.accessToken);
    expect(me.data).toEqual({ me: { user: { email: 'bruno@atlas.example' } } });
  });

  test('is good once: neither its state nor its code opens anything again', async () => {
    const { verifier, codeChallenge } = open.browser.draw();
    const { answer } = await open.browser.start({ connection: ATLAS_SSO, codeChallenge });
    const address = await open.browser.visit(String(answer.url), LIA);
    const first = await open.browser.comeBack(address);
    expect((await open.browser.comeBack(address)).status).toBe(400);
    const code = String(new URL(String(first.headers.get('location'))).searchParams.get('code'));
    const together = await Promise.all([1, 2, 3, 4].map(() => open.browser.redeem(code, verifier)));
    expect(together.filter(({ session }) => session)).toHaveLength(1);
  });

  test('is too late after a minute', async () => {
    const { code, verifier } = await open.browser.goAndReturn(ATLAS_SSO, LIA);
    await open.world.sql("update identity.provider_visit set expires_at = now() - interval '1 second'");
    expect(sentence(await open.browser.redeem(String(code), verifier))).toBe('This link no longer works.');
  });

  test.each([
    '',
    '?state=unknown&code=x',
    '?code=x',
    `?${'x'.repeat(9_000)}`,
  ])('nobody waits for is refused: %#', async (query) => {
    const answered = await fetch(open.client.url.replace('/graphql', `/auth/callback/${ATLAS_SSO}${query}`), {
      redirect: 'manual',
    });
    expect(answered.status).toBe(400);
    expect(await answered.text()).toContain('This link no longer works.');
  });

  test('goes to pages of our portals alone', async () => {
    const { codeChallenge } = open.browser.draw();
    for (const returnTo of [
      'https://evil.example/',
      'http://localhost:4000@evil.example/',
      'http://localhost:4000.evil.example/',
      'javascript:alert(1)',
      '//evil.example',
      'http://localhost:4001/',
      'not an address',
    ]) {
      const { answer } = await open.browser.start({ connection: ATLAS_SSO, codeChallenge, returnTo });
      expect([returnTo, answer.url, answer.userErrors[0]?.code, answer.userErrors[0]?.field]).toEqual([
        returnTo,
        null,
        'INVALID',
        'returnTo',
      ]);
    }
  });

  test('needs a challenge of PKCE and a connection there is', async () => {
    const { codeChallenge } = open.browser.draw();
    const plain = await open.browser.start({ connection: ATLAS_SSO, codeChallenge: 'plain' });
    expect(plain.answer.userErrors[0]).toMatchObject({ code: 'INVALID', field: 'codeChallenge' });
    for (const connection of ['microsoft', 'constructor', seedId('1'), "'; drop table"]) {
      const { answer } = await open.browser.start({ connection, codeChallenge });
      expect(answer.userErrors[0]).toMatchObject({ code: 'NOT_FOUND', field: 'connection' });
    }
  });
});
