import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayClient, openGatewayWorld, type Person } from '../setup/gateway.ts';
import { tenantId } from './trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let ngozi: Person | undefined;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
}, 60_000);
afterAll(() => running?.close());

const WHO = '{ me { memberships { state tenant { slug } } tenant { slug } permissions } }';
const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken tenant { slug } } tenants { tenant { slug } } userErrors { code field message } } }';
const SWITCH =
  'mutation($input: SwitchTenantInput!) { switchTenant(input: $input) { session { accessToken } userErrors { code message } } }';
interface SignIn {
  signIn: { session: { accessToken: string; tenant: object | null } | null; tenants: object[]; userErrors: object[] };
}

const signIn = async (email: string, tenant?: string) => {
  const input = { email, password: running.password, transport: 'BODY', ...(tenant ? { tenant } : {}) };
  return (await client.post<SignIn>(SIGN_IN, { input })).data?.signIn;
};

/** Milliseconds from now until a token is refused. */
async function untilRefused(token: string): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < 5_000) {
    const { errors } = await client.post(WHO, {}, token);
    if (errors?.[0]?.extensions.code === 'UNAUTHENTICATED') return performance.now() - began;
    await sleep(20);
  }
  return Number.POSITIVE_INFINITY;
}

/** Ngozi changes how many seats a tenant has; answers once every gateway holds the licence. */
async function seats(slug: 'kestrel' | 'northwind', limit: string): Promise<void> {
  ngozi ??= await client.signIn('ngozi@platform.example', running.password); // once: their codes run out
  const { data, errors } = await ngozi.ask<{ setOverride: object }, object>(
    'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
    { input: { tenantId: tenantId(slug), key: 'staff_users', limit, reason: 'Agreed with their sales.' } },
  );
  expect([errors, data?.setOverride]).toEqual([undefined, { userErrors: [] }]);
}

test('Northwind is cut to two seats: Lotte is refused within a second, her streams end, and she is back when the seats are', async () => {
  const [ingrid, jonas, lotte] = await Promise.all(
    ['ingrid', 'jonas', 'lotte'].map((name) => client.signIn(`${name}@northwind.example`, running.password)),
  );
  if (!ingrid || !jonas || !lotte) throw new Error('Somebody could not sign in.');
  const seen = await lotte.ask<{ tickets: { nodes: { id: string }[] } }, object>(
    '{ tickets(first: 1) { nodes { id } } }',
  );
  const stream = lotte.follow('subscription($id: ID!) { ticketUpdated(ticketId: $id) { cursor } }', {
    id: seen.data?.tickets.nodes[0]?.id,
  });
  await stream.next();
  const told = lotte.follow<{ mySessionEnded: object }, object>('subscription { mySessionEnded { reason } }');
  await sleep(300);
  let hasEnded = false;
  const ended = stream.done.catch(() => undefined).then(() => (hasEnded = true));

  await seats('northwind', '2');
  expect(await untilRefused(lotte.token)).toBeLessThan(1_000);
  await Promise.race([ended, sleep(1_000)]);
  expect(hasEnded).toBe(true);
  await told.done.catch(() => undefined);
  for (const kept of [ingrid, jonas]) expect((await kept.ask(WHO)).errors).toBeUndefined();
  const again = await client.post<{ refreshSession: object }>(
    'mutation($input: RefreshInput) { refreshSession(input: $input) { session { accessToken } userErrors { message } } }',
    { input: { refreshToken: lotte.refreshToken } },
  );
  expect(again.data?.refreshSession).toEqual({ session: null, userErrors: [{ message: 'Please sign in again.' }] });

  expect(await signIn('lotte@northwind.example', 'northwind')).toMatchObject({
    session: null,
    userErrors: [
      { code: 'INVALID_STATE', field: 'tenant', message: 'The plan of this tenant has no seat for you now.' },
    ],
  });
  const outside = await signIn('lotte@northwind.example');
  expect(outside).toMatchObject({ session: { tenant: null }, tenants: [], userErrors: [] });
  const nowhere = outside?.session?.accessToken;
  expect((await client.post(WHO, {}, nowhere)).data).toEqual({
    me: { memberships: [{ state: 'FROZEN', tenant: { slug: 'northwind' } }], tenant: null, permissions: [] },
  });
  expect((await client.post(SWITCH, { input: { tenantId: tenantId('northwind') } }, nowhere)).data).toEqual({
    switchTenant: {
      session: null,
      userErrors: [{ code: 'INVALID_STATE', message: 'The plan of this tenant has no seat for you now.' }],
    },
  });

  await seats('northwind', '10');
  await running.world.untilNoJobs();
  const back = await client.signIn('lotte@northwind.example', running.password);
  expect((await back.ask(WHO)).data).toMatchObject({
    me: { memberships: [{ state: 'ACTIVE', tenant: { slug: 'northwind' } }], tenant: { slug: 'northwind' } },
  });
  expect((await client.post(WHO, {}, lotte.token)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
}, 30_000);

test('Edda, frozen at Northwind, works on at Harbour', async () => {
  const edda = await client.signIn('edda@northwind.example', running.password, { tenant: 'harbour' });
  await seats('northwind', '2');
  await running.world.untilNoJobs();
  expect((await edda.ask(WHO)).data).toMatchObject({
    me: {
      memberships: [
        { state: 'FROZEN', tenant: { slug: 'northwind' } },
        { state: 'ACTIVE', tenant: { slug: 'harbour' } },
      ],
      tenant: { slug: 'harbour' },
    },
  });
  expect(await signIn('edda@northwind.example')).toMatchObject({
    session: { tenant: { slug: 'harbour' } },
    tenants: [{ tenant: { slug: 'harbour' } }],
  });
  await seats('northwind', '10');
}, 30_000);

test('Kestrel without a seat keeps Wren, its administrator, and nobody else', async () => {
  const [wren, ada] = await Promise.all(
    ['wren', 'ada'].map((name) => client.signIn(`${name}@kestrel.example`, running.password)),
  );
  await seats('kestrel', '0');
  expect(await untilRefused(String(ada?.token))).toBeLessThan(1_000);
  const { data } = (await wren?.ask<{ members: { nodes: object[] } }, object>(
    '{ members(filter: { kind: STAFF }) { nodes { state user { displayName } } } }',
  )) ?? { data: null };
  expect(data?.members.nodes).toEqual([
    { state: 'ACTIVE', user: { displayName: 'Wren Castillo' } },
    { state: 'FROZEN', user: { displayName: 'Ada Quill' } },
    { state: 'FROZEN', user: { displayName: 'Milo Hart' } },
  ]);
}, 30_000);
