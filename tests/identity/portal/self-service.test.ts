import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';
import { acting, outcome, start } from '../support/support.ts';
import { envelopeOf } from '../trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let ingrid: Person;
let samira: Person;

const ME = '{ me { user { displayName } } }';
const REALM = { realm: 'northwind' };
const CLOSED = [{ code: 'INVALID_STATE', message: 'The portal is closed at the moment.', field: expect.anything() }];
const REVOKED = 'UNAUTHENTICATED REVOKED';

beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  await running.world.untilNoJobs();
  ingrid = await client.signIn('ingrid@northwind.example', running.password);
  samira = await client.signIn('samira@northwind.example', running.password);
}, 120_000);
afterAll(() => running?.close());

const subscriber = (name: string, realm = 'northwind') =>
  client.signIn(`${name}@northwind.example`, running.password, { realm });

async function setSelfService(value: boolean) {
  const held = await ingrid.ask<{ settings: { version: number }[] }, object>(
    '{ settings(sections: ["portal"]) { version } }',
  );
  const input = {
    ...{ section: 'portal', expectedVersion: held.data?.settings[0]?.version },
    changes: [{ key: 'self_service', value: String(value) }],
  };
  const { data, errors } = await ingrid.ask<{ updateSettings: { userErrors: object[] } }, object>(
    'mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { userErrors { message } } }',
    { input },
  );
  expect([errors, data?.updateSettings.userErrors]).toEqual([undefined, []]);
}

interface Answer {
  session?: { refreshToken: string } | null;
  membership?: { id: string } | null;
  userErrors: { code: string; message: string; field: string | null }[];
}
async function call(door: string, type: string, fields: string, input: object, who?: Person): Promise<Answer> {
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { ${fields} userErrors { code message field } } }`;
  const { data, errors } = await client.post<Record<string, Answer>>(query, { input }, who?.token);
  if (errors) throw new Error(JSON.stringify(errors));
  return data?.[door] as Answer;
}
const SESSION = 'session { refreshToken }';
const signIn = (email: string, realm?: string) =>
  call('signIn', 'SignInInput', SESSION, { email, realm, password: running.password, transport: 'BODY' });
const invite = (email: string) =>
  call(
    'givePortalAccess',
    'PortalAccessInput',
    'membership { id }',
    { customerId: envelopeOf('Lena Spaet').customerId, email, displayName: 'Greta Spaet' },
    samira,
  );
const activate = (token: string) =>
  call('activateAccount', 'ActivateInput', SESSION, { token, password: 'a garden of seven lamps', transport: 'BODY' });

test('A closed portal stops its people at once and everywhere, and lets them go on when it opens', async () => {
  const [lena, mara, elsewhere] = [
    await subscriber('lena'),
    await subscriber('mara'),
    await subscriber('mara', 'atlas'),
  ];
  const support = await client.signIn('piet@northwind.example', running.password);
  const looking = await start(support, { userId: envelopeOf('Lena Spaet').caller?.id, mode: 'READ' });
  await invite('waiting@example.net');
  const token = tokenIn((await running.world.mails('waiting@example.net')).at(-1));
  const stream = lena.follow('subscription { mySessionEnded { reason } }');
  const closed = stream.done.then(
    () => 'ended',
    () => 'ended',
  );
  await sleep(300);
  expect([await outcome(lena, ME), await outcome(acting(client, looking), ME)]).toEqual(['OK', 'OK']);

  await setSelfService(false);
  expect(await Promise.all([lena, mara, acting(client, looking)].map((who) => outcome(who, ME)))).toEqual([
    ...[REVOKED, REVOKED, REVOKED],
  ]);
  expect(await Promise.race([closed, sleep(1_000).then(() => 'open')])).toBe('ended');
  expect(await Promise.all([elsewhere, ingrid, samira].map((who) => outcome(who, ME)))).toEqual(['OK', 'OK', 'OK']);
  expect((await signIn('lena@northwind.example', 'northwind')).userErrors).toEqual(CLOSED);
  expect((await signIn('mara@northwind.example', 'atlas')).userErrors).toEqual([]);
  expect((await invite('new@example.net')).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
  expect((await invite('waiting@example.net')).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
  expect((await activate(token)).userErrors).toEqual(CLOSED);
  expect(await running.world.mails('new@example.net')).toEqual([]);

  await setSelfService(true);
  expect(await Promise.all([lena, mara].map((who) => outcome(who, ME)))).toEqual(['OK', 'OK']);
  expect((await activate(token)).session).not.toBeNull();
  expect((await invite('new@example.net')).userErrors).toEqual([]);
}, 60_000);

test('A closed portal is told of only to who knows the password', async () => {
  await setSelfService(false);
  const input = { email: 'lena@northwind.example', ...REALM, password: 'wrong', transport: 'BODY' };
  expect((await call('signIn', 'SignInInput', SESSION, input)).userErrors).toMatchObject([
    { message: 'E-mail or password is not right.' },
  ]);
  await setSelfService(true);
});

test('Who refreshes while the portal is closed signs in again when it is open, and the session says why it ended', async () => {
  const lena = await subscriber('lena');
  await setSelfService(false);
  const { userErrors } = await call('refreshSession', 'RefreshInput', SESSION, { refreshToken: lena.refreshToken });
  expect(userErrors).toMatchObject([{ code: 'INVALID', message: 'Please sign in again.' }]);
  await setSelfService(true);
  expect(await outcome(lena, ME)).toBe(REVOKED);
  const again = await subscriber('lena');
  expect(await outcome(again, ME)).toBe('OK');
  const [ended] = await running.world.sql(
    'select end_reason from identity.session where user_id = $1 and end_reason is not null order by ended_at desc limit 1',
    [envelopeOf('Lena Spaet').caller?.id],
  );
  expect(ended).toEqual({ end_reason: 'PORTAL_CLOSED' });
});

test('A platform whose portal is closed closes it to those who speak for an account, and not to their work', async () => {
  const ngozi = await client.signIn('ngozi@platform.example', running.password);
  const tenancy = async (value: boolean) => {
    const { data } = await ngozi.ask<{ settings: { version: number }[] }, object>(
      '{ settings(sections: ["portal"]) { version } }',
    );
    const input = {
      section: 'portal',
      expectedVersion: data?.settings[0]?.version,
      changes: [{ key: 'self_service', value: String(value) }],
    };
    return ngozi.ask(
      'mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { userErrors { message } } }',
      { input } as never,
    );
  };
  const portal = await client.signIn('ingrid@northwind.example', running.password, { tenant: 'platform' });
  await tenancy(false);
  expect([await outcome(portal, ME), await outcome(ingrid, ME)]).toEqual([REVOKED, 'OK']);
  const there = await call(
    'switchTenant',
    'SwitchTenantInput',
    SESSION,
    { tenantId: envelopeOf('Ngozi Adeyemi').tenantId },
    ingrid,
  );
  expect(there.userErrors).toEqual(CLOSED);
  await tenancy(true);
  expect(await outcome(portal, ME)).toBe('OK');
});
