import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { type GatewayClient, openGatewayWorld } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
}, 60_000);
afterAll(() => running?.close());

const WHO = '{ me { user { displayName } tenant { slug } } }';
const RESET_REQUEST = 'mutation($input: ResetRequestInput!) { requestPasswordReset(input: $input) { isDone } }';

/** Posts under a name that is not ours, as somebody would who wants links to lead to themselves. */
function postAs(host: string, query: string, variables: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', host, 'x-forwarded-host': host };
    const asked = request(client.url, { method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject).end(JSON.stringify({ query, variables }));
  });
}

test('A forged Host leaves the link’s host as it is', async () => {
  await postAs('evil.example', RESET_REQUEST, { input: { email: 'milo@kestrel.example' } });
  await client.post(RESET_REQUEST, { input: { email: 'milo@kestrel.example' } });
  const links = (await running.world.mails('milo@kestrel.example')).flatMap((mail) => mail.links);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(new URL(link).origin).toBe('http://localhost:4000');
});

test('Whom the platform suspends is refused within a second, at every door', async () => {
  const wren = await client.signIn('wren@kestrel.example', running.password);
  const ngozi = await client.signIn('ngozi@platform.example', running.password);
  expect((await wren.ask(WHO)).data).toMatchObject({ me: { tenant: { slug: 'kestrel' } } });
  const input = { userId: seedId('6011'), reason: 'Asked by phone.' };
  const suspended = await ngozi.ask<{ suspendUser: { isDone: boolean } }, object>(
    'mutation($input: UserReasonInput!) { suspendUser(input: $input) { isDone userErrors { message } } }',
    { input },
  );
  const startedAt = performance.now();
  expect(suspended.data?.suspendUser.isDone).toBe(true);
  let code: unknown;
  while (code !== 'UNAUTHENTICATED' && performance.now() - startedAt < 3_000) {
    code = (await wren.ask(WHO)).errors?.[0]?.extensions.code;
    await sleep(20);
  }
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('Who has registered is somebody, and gets into no tenant before their mail is proved and after', async () => {
  const input = { email: 'nora@fields.example', password: 'correct horse battery', displayName: 'Nora Fields' };
  await client.post('mutation($input: RegisterInput!) { registerUser(input: $input) { isDone } }', { input });
  const nora = await client.signIn(input.email, input.password);
  expect((await nora.ask(WHO)).data).toEqual({ me: { user: { displayName: 'Nora Fields' }, tenant: null } });
  const refused = await nora.ask('{ members { nodes { id } } }');
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'NO_TENANT' });
  const [mail] = await running.world.mails(input.email);
  const proved = await client.post<{ proveEmail: { userErrors: object[] } }>(
    'mutation($input: ProofInput!) { proveEmail(input: $input) { userErrors { message } } }',
    { input: { token: tokenIn(mail) } },
  );
  expect(proved.data?.proveEmail.userErrors).toEqual([]);
  expect((await (await client.signIn(input.email, input.password)).ask(WHO)).data).toMatchObject({
    me: { tenant: null },
  });
});

test('A list of one’s devices says where each is and what it said it is', async () => {
  const headers = { 'user-agent': `Trial/1.0 ${'x'.repeat(300)}` };
  const input = { email: 'nils@northwind.example', password: running.password, transport: 'BODY' };
  const signIn = 'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }';
  const { data } = await client.post<{ signIn: { session: { accessToken: string } } }>(
    signIn,
    { input },
    undefined,
    headers,
  );
  const nils = client.as(String(data?.signIn.session.accessToken));
  const seen = await nils.ask(
    '{ mySessions { agent address isCurrent } mySignIns { nodes { agent address outcome } } }',
  );
  const agent = headers['user-agent'].slice(0, 200);
  expect(seen.data).toEqual({
    mySessions: [{ agent, address: '127.0.0.1', isCurrent: true }],
    mySignIns: { nodes: [{ agent, address: '127.0.0.1', outcome: 'OK' }] },
  });
});
