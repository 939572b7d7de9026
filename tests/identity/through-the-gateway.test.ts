import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayClient, openGatewayWorld } from '../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
}, 60_000);
afterAll(() => running?.close());

const ORIGIN = { origin: 'http://localhost:4000' };
const WHO = '{ me { user { displayName } tenant { slug name } memberships { tenant { slug } } permissions } }';
const REFRESH =
  'mutation($input: RefreshInput) { refreshSession(input: $input) { session { accessToken refreshToken tenant { slug } } userErrors { message } } }';
interface Answer {
  session: { accessToken: string; refreshToken: string | null; tenant: { slug: string } | null } | null;
  userErrors: { message: string }[];
}

/** Milliseconds from now to when the first request that is refused was sent. */
async function untilRefused(token: string): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < 3_000) {
    const asked = performance.now();
    const { errors } = await client.post(WHO, {}, token);
    if (errors?.[0]?.extensions.code === 'UNAUTHENTICATED') return asked - began;
    await sleep(20);
  }
  return Number.POSITIVE_INFINITY;
}

test('Wren signs in without cookies, asks who she is, refreshes, and signs out: her token is refused within a second', async () => {
  const wren = await client.signIn('wren@kestrel.example', running.password);
  const { data, errors } = await wren.ask<{ me: { permissions: string[] } }, object>(WHO);
  expect(errors).toBeUndefined();
  expect(data?.me).toMatchObject({
    user: { displayName: 'Wren Castillo' },
    tenant: { slug: 'kestrel', name: 'Kestrel Wireless' },
    memberships: [{ tenant: { slug: 'kestrel' } }],
  });
  const next = await client.post<{ refreshSession: Answer }>(REFRESH, { input: { refreshToken: wren.refreshToken } });
  const token = String(next.data?.refreshSession.session?.accessToken);
  expect((await client.post(WHO, {}, token)).errors).toBeUndefined();
  const listening = client.follow<{ mySessionEnded: object }>(token, 'subscription { mySessionEnded { reason } }');
  await sleep(300);
  await client.post('mutation { signOut { isDone } }', {}, token);
  expect(await untilRefused(token)).toBeLessThan(1_000);
  await listening.done.catch(() => undefined);
  const again = await client.post<{ refreshSession: Answer }>(REFRESH, {
    input: { refreshToken: next.data?.refreshSession.session?.refreshToken },
  });
  expect(again.data?.refreshSession).toMatchObject({
    session: null,
    userErrors: [{ message: 'Please sign in again.' }],
  });
});

test('A browser keeps its refresh token in a cookie no script reads, and no foreign page can use it', async () => {
  const signedIn = await client.post<{ signIn: Answer }>(
    'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken refreshToken tenant { slug } } userErrors { message } } }',
    { input: { email: 'ada@kestrel.example', password: running.password, transport: 'COOKIE' } },
    undefined,
    ORIGIN,
  );
  expect(signedIn.data?.signIn.session).toMatchObject({ refreshToken: null, tenant: { slug: 'kestrel' } });
  const set = String(signedIn.headers.get('set-cookie'));
  expect(set).toMatch(/^__Host-isp_rt=isp_rt_[^;]+; Path=\/; Max-Age=28800; HttpOnly; Secure; SameSite=Strict$/);
  const cookie = set.slice(0, set.indexOf(';'));
  const foreign = await client.post<{ refreshSession: Answer }>(REFRESH, {}, undefined, {
    cookie,
    origin: 'https://evil.example',
  });
  expect(foreign.data?.refreshSession ?? null).not.toMatchObject({ session: expect.anything() });
  const own = await client.post<{ refreshSession: Answer }>(REFRESH, {}, undefined, { cookie, ...ORIGIN });
  expect(own.data?.refreshSession.session).toMatchObject({ refreshToken: null, tenant: { slug: 'kestrel' } });
  expect(own.headers.get('set-cookie')).not.toBe(set);
  const out = await client.post('mutation { signOut { isDone } }', {}, own.data?.refreshSession.session?.accessToken, {
    cookie: String(own.headers.get('set-cookie')).split(';')[0] as string,
    ...ORIGIN,
  });
  expect(out.headers.get('set-cookie')).toContain('__Host-isp_rt=; Path=/; Max-Age=0');
});

test('Edda of two tenants sees both, takes one, and her former token is refused from then on', async () => {
  const edda = await client.signIn('edda@northwind.example', running.password, { tenant: 'northwind' });
  const { data } = await edda.ask<{ me: { memberships: object[] } }, object>(WHO);
  expect(data?.me.memberships).toEqual([{ tenant: { slug: 'northwind' } }, { tenant: { slug: 'harbour' } }]);
  const switched = await edda.ask<{ switchTenant: Answer }, object>(
    'mutation($input: SwitchTenantInput!) { switchTenant(input: $input) { session { accessToken refreshToken tenant { slug } } userErrors { message } } }',
    { input: { tenantId: '01990000-0000-7000-8000-000000000a03' } },
  );
  expect(switched.data?.switchTenant.session?.tenant).toEqual({ slug: 'harbour' });
  expect(await untilRefused(edda.token)).toBeLessThan(1_000);
  const there = await client.post<{ me: object }>(WHO, {}, switched.data?.switchTenant.session?.accessToken);
  expect(there.data?.me).toMatchObject({ tenant: { slug: 'harbour', name: 'Harbour Net' } });
});

test('Ingrid suspends Lotte, whose next request is refused within a second', async () => {
  const ingrid = await client.signIn('ingrid@northwind.example', running.password);
  const lotte = await client.signIn('lotte@northwind.example', running.password);
  expect((await lotte.ask(WHO)).errors).toBeUndefined();
  const { data, errors } = await ingrid.ask<{ suspendMember: { userErrors: object[] } }, object>(
    'mutation($input: MemberInput!) { suspendMember(input: $input) { membership { state user { displayName } } userErrors { code } } }',
    { input: { membershipId: '01990000-0000-7000-8000-000060280001', expectedVersion: 1, reason: 'On leave.' } },
  );
  expect(errors).toBeUndefined();
  expect(data?.suspendMember).toEqual({
    membership: { state: 'SUSPENDED', user: { displayName: 'Lotte Kern' } },
    userErrors: [],
  });
  expect(await untilRefused(lotte.token)).toBeLessThan(1_000);
});
