import { once } from 'node:events';
import type WebSocket from 'ws';
import { openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';

type Message = {
  type: string;
  id?: string;
  payload?: { errors?: unknown; data?: unknown; code?: string }[] & {
    data?: unknown;
    errors?: { extensions: { code: string } }[];
  };
};

/** A socket whose messages can be awaited in order. */
function reader(socket: WebSocket) {
  const queue: Message[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (text) => {
    queue.push(JSON.parse(String(text)));
    wake();
  });
  return async (): Promise<Message> => {
    while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return queue.shift() as Message;
  };
}

const closeOf = async (socket: WebSocket) => (await once(socket, 'close'))[0] as number;
const say = (socket: WebSocket, message: object) => socket.send(JSON.stringify(message));

describe('The graphql-transport-ws door', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const open = async () => {
    const socket = await rawSocket(running.client.url);
    const next = reader(socket);
    say(socket, { type: 'connection_init', payload: { authorization: `Bearer ${wren.token}` } });
    expect(await next()).toEqual({ type: 'connection_ack' });
    return { socket, next };
  };

  test('close codes are those of the protocol', async () => {
    const early = await rawSocket(running.client.url);
    say(early, { type: 'subscribe', id: '1', payload: { query: '{ tenant { slug } }' } });
    expect(await closeOf(early)).toBe(4401);

    const forged = await rawSocket(running.client.url);
    say(forged, { type: 'connection_init', payload: { authorization: 'Bearer forged' } });
    expect(await closeOf(forged)).toBe(4403);

    const nonsense = await rawSocket(running.client.url);
    nonsense.send('not json');
    expect(await closeOf(nonsense)).toBe(4400);

    const twice = await open();
    say(twice.socket, { type: 'connection_init' });
    expect(await closeOf(twice.socket)).toBe(4429);

    const same = await open();
    say(same.socket, { type: 'subscribe', id: '1', payload: { query: 'subscription { tenantUpdated { slug } }' } });
    say(same.socket, { type: 'subscribe', id: '1', payload: { query: 'subscription { tenantUpdated { slug } }' } });
    expect(await closeOf(same.socket)).toBe(4409);

    const large = await open();
    large.socket.send(JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(70_000) } }));
    expect(await closeOf(large.socket)).toBe(1009);
  });

  test('another sub-protocol, origin or path does not get in', async () => {
    const old = await rawSocket(running.client.url, 'graphql-ws').catch((error: Error) => error);
    if (!(old instanceof Error)) expect(await closeOf(old)).toBe(4406);
    await expect(
      rawSocket(running.client.url, 'graphql-transport-ws', { origin: 'https://evil.example' }),
    ).rejects.toThrow('403');
    await expect(rawSocket(running.client.url.replace('/graphql', '/other'))).rejects.toThrow('404');
  });

  test('queries and mutations work over the socket and obey the same rules', async () => {
    const { socket, next } = await open();
    say(socket, { type: 'subscribe', id: 'q', payload: { query: '{ tenant { slug } leads { nodes { number } } }' } });
    const answer = await next();
    expect(answer).toMatchObject({
      type: 'next',
      id: 'q',
      payload: { data: { tenant: { slug: 'kestrel' }, leads: null } },
    });
    expect(answer.payload?.errors?.[0]?.extensions.code).toBe('FEATURE_NOT_LICENSED');
    expect(await next()).toEqual({ type: 'complete', id: 'q' });
    say(socket, {
      type: 'subscribe',
      id: 'm',
      payload: { query: 'mutation { updateTenantProfile(input: { name: "x" }) { userErrors { code field } } }' },
    });
    expect(await next()).toMatchObject({
      type: 'next',
      payload: { data: { updateTenantProfile: { userErrors: [{ code: 'INVALID', field: 'name' }] } } },
    });
    expect(await next()).toEqual({ type: 'complete', id: 'm' });
    socket.close();
  });

  test('a syntax error, an unknown field and a limit are an error of that operation, never the end of the socket', async () => {
    const { socket, next } = await open();
    const aliases = Array.from({ length: 40 }, (_, i) => `a${i}: slug`).join(' ');
    for (const [query, code] of [
      ['{ tenant {', 'BAD_USER_INPUT'],
      ['subscription { nothing }', 'BAD_USER_INPUT'],
      [`subscription { tenantUpdated { ${aliases} } }`, 'OPERATION_LIMIT'],
      ['subscription { contactsChanged { cursor } }', 'FEATURE_NOT_LICENSED'],
    ]) {
      say(socket, { type: 'subscribe', id: '1', payload: { query } });
      const refused = (await next()) as unknown as {
        type: string;
        payload: { extensions: { code: string } }[] & { errors?: { extensions: { code: string } }[] };
      };
      const errors = refused.type === 'error' ? refused.payload : refused.payload.errors;
      expect(errors?.[0]?.extensions.code).toBe(code);
      if (refused.type === 'next') await next();
    }
    say(socket, { type: 'ping' });
    expect(await next()).toEqual({ type: 'pong' });
    socket.close();
  });

  test('a stream ends with a coded error when the session is revoked', async () => {
    const milo = await running.client.signIn('milo@kestrel.example', running.password);
    const stream = milo.follow<{ tenantUpdated: { slug: string } }, object>('subscription { tenantUpdated { slug } }');
    expect((await stream.next()).data).toEqual({ tenantUpdated: { slug: 'kestrel' } });
    const at = Date.now();
    await milo.ask('mutation { signOut { userErrors { code } } }');
    expect((await stream.next()).errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', reason: 'REVOKED' });
    expect(Date.now() - at).toBeLessThan(1_000);
    await stream.done;
  });

  test('suspending the tenant ends its people’s streams and refuses their next request', async () => {
    const ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    const ada = await running.client.signIn('ada@kestrel.example', running.password);
    const stream = ada.follow<{ tenantUpdated: { slug: string } }, object>('subscription { tenantUpdated { slug } }');
    await stream.next();
    const kestrel = '01990000-0000-7000-8000-000000000a01';
    const done = await ngozi.ask(
      `mutation { suspendTenant(input: { tenantId: "${kestrel}", reason: SECURITY }) { tenant { state } userErrors { message } } }`,
    );
    expect(done.data).toMatchObject({ suspendTenant: { tenant: { state: 'SUSPENDED' }, userErrors: [] } });
    for (;;) {
      const result = await stream.next();
      if (!result.errors) continue; // the change itself may come first
      expect(result.errors[0]?.extensions).toEqual({ code: 'FORBIDDEN', reason: 'TENANT_SUSPENDED' });
      break;
    }
    expect((await ada.ask('{ tenant { slug } }')).errors?.[0]?.extensions.reason).toBe('TENANT_SUSPENDED');
    expect((await wren.ask('{ tenant { state } }')).data).toEqual({ tenant: { state: 'SUSPENDED' } }); // who pays may look
    await ngozi.ask(`mutation { reactivateTenant(input: { tenantId: "${kestrel}" }) { userErrors { code } } }`);
    expect((await ada.ask('{ tenant { slug } }')).errors).toBeUndefined();
  });

  test('a client that leaves frees what it held', async () => {
    const before = running.world.serving.fanOut.listeners();
    const streams = Array.from({ length: 10 }, () => wren.follow('subscription { tenantUpdated { slug } }'));
    for (const stream of streams) await stream.next();
    expect(running.world.serving.fanOut.listeners()).toBeGreaterThan(before);
    for (const stream of streams) await stream.stop();
    const until = Date.now() + 2_000;
    while (running.world.serving.fanOut.listeners() > before && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(running.world.serving.fanOut.listeners()).toBe(before);
  });
});

test('a gateway that goes away says so: its streams’ sockets close with 1001, and it is gone within seconds', async () => {
  const world = await openGatewayWorld();
  const socket = await rawSocket(world.client.url);
  const next = reader(socket);
  const { token } = await world.client.signIn('wren@kestrel.example', world.password);
  say(socket, { type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  await next();
  say(socket, { type: 'subscribe', id: '1', payload: { query: 'subscription { tenantUpdated { slug } }' } });
  await next();
  const closed = closeOf(socket);
  const startedAt = Date.now();
  await world.close();
  expect(await closed).toBe(1001);
  expect(Date.now() - startedAt).toBeLessThan(10_000);
}, 60_000);

test('a stream goes on with the rights its reader has now: a role taken away ends what it may no longer follow', async () => {
  const world = await openGatewayWorld();
  try {
    const samira = await world.client.signIn('samira@northwind.example', world.password);
    const ingrid = await world.client.signIn('ingrid@northwind.example', world.password);
    const { data: tickets } = await samira.ask<{ tickets: { nodes: { id: string }[] } }, object>(
      '{ tickets(first: 1) { nodes { id } } }',
    );
    const stream = samira.follow<object, object>('subscription($id: ID!) { ticketUpdated(ticketId: $id) { cursor } }', {
      id: tickets?.tickets.nodes[0]?.id,
    });
    expect((await stream.next()).errors).toBeUndefined();
    const open = samira.follow<object, object>('subscription { tenantUpdated { slug } }');
    await open.next();

    const { data: members } = await ingrid.ask<
      { members: { nodes: { id: string; version: number; user: { displayName: string } }[] } },
      object
    >('{ members(first: 50) { nodes { id version user { displayName } } } }');
    const member = members?.members.nodes.find(({ user }) => user.displayName === 'Samira Haddad');
    const changed = await ingrid.ask<{ setMemberRoles: { userErrors: object[] } }, object>(
      'mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { userErrors { code message } } }',
      { input: { membershipId: member?.id, expectedVersion: member?.version, roles: ['technician'] } },
    );
    expect(changed.errors ?? changed.data?.setMemberRoles.userErrors).toEqual([]);
    const last = await stream.next();
    expect(last.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
    await stream.done;
    expect((await samira.ask('{ tickets(first: 1) { nodes { id } } }')).status).toBe(403);
    await ingrid.ask(
      'mutation { updateTenantProfile(input: { legalName: "Northwind Fibre GmbH" }) { userErrors { code } } }',
    );
    expect((await open.next()).data).toEqual({ tenantUpdated: { slug: 'northwind' } });
    await open.stop();
  } finally {
    await world.close();
  }
}, 60_000);
