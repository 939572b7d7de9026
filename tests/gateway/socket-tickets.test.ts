import type WebSocket from 'ws';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { GatewayClient, openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let other: Gateway;
let wren: Person;
beforeAll(async () => {
  running = await openGatewayWorld();
  const { world } = running;
  const sources = new Map(world.serving.subgraphs.map((one) => [one.name, localSubgraph(one)]));
  other = await startGateway(world.config, sources, world.serving.fanOut, createLog(world.config, 'gateway'));
  wren = await signIn();
}, 60_000);
afterAll(async () => {
  await other?.stop();
  await running?.close();
});

const signIn = () => running.client.signIn('wren@kestrel.example', running.password);

const CREATE = 'mutation { createSocketTicket { ticket expiresAt userErrors { code } } }';
interface Made {
  createSocketTicket: { ticket: string | null; expiresAt: string | null; userErrors: { code: string }[] };
}
async function ticketOf(person: Person): Promise<string> {
  const { data } = await person.ask<Made, object>(CREATE);
  return String(data?.createSocketTicket.ticket);
}

/** Opens a socket with something in its address, and says who it is by that alone: the ack, or the close code. */
async function enter(query: string, at = running.client.url): Promise<{ socket: WebSocket; said: unknown }> {
  const socket = await rawSocket(`${at}?${query}`);
  const said = new Promise((resolve) => {
    socket.once('message', (text) => resolve(JSON.parse(String(text))));
    socket.once('close', resolve);
  });
  socket.send(JSON.stringify({ type: 'connection_init' }));
  return { socket, said: await said };
}

test('a client that can send no connection params enters with a ticket, as the person who made it', async () => {
  const { socket, said } = await enter(`ticket=${await ticketOf(wren)}`);
  expect(said).toEqual({ type: 'connection_ack' });
  const answer = new Promise((resolve) => socket.once('message', (text) => resolve(JSON.parse(String(text)))));
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ me { user { displayName } } }' } }));
  expect(await answer).toMatchObject({ payload: { data: { me: { user: { displayName: 'Wren Castillo' } } } } });
  socket.close();
});

test('a ticket opens one socket, whichever gateway it comes to', async () => {
  const ticket = await ticketOf(wren);
  const there = new GatewayClient(other.port).url;
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, i) => enter(`ticket=${ticket}`, i % 2 ? there : running.client.url)),
  );
  const acks = outcomes.filter(({ said }) => typeof said === 'object');
  expect(acks).toHaveLength(1);
  expect(outcomes.filter(({ said }) => said === 4403)).toHaveLength(7);
  for (const { socket } of outcomes) socket.close();
});

test('a ticket is good for half a minute, and no longer than its session', async () => {
  const { data } = await wren.ask<Made, object>(CREATE);
  const left = new Date(String(data?.createSocketTicket.expiresAt)).getTime() - Date.now();
  expect(left).toBeGreaterThan(25_000);
  expect(left).toBeLessThanOrEqual(30_500);
  await running.world.sql("update identity.socket_ticket set good_until = now() - interval '1 second'");
  expect((await enter(`ticket=${data?.createSocketTicket.ticket}`)).said).toBe(4403);

  const leaving = await signIn();
  const ticket = await ticketOf(leaving);
  await leaving.ask('mutation { signOut { isDone } }');
  expect((await enter(`ticket=${ticket}`)).said).toBe(4403);
});

test('a socket opened by a ticket ends with the token it was made under', async () => {
  const person = await signIn();
  const { data } = await person.ask<Made, object>(CREATE);
  await running.world.sql("update identity.socket_ticket set socket_until = now() + interval '1 second'");
  const { socket, said } = await enter(`ticket=${data?.createSocketTicket.ticket}`);
  expect(said).toEqual({ type: 'connection_ack' });
  expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(4403);
});

test('at most ten tickets of a session are open, and nobody without a session makes one', async () => {
  const person = await signIn();
  const made = await Promise.all(Array.from({ length: 14 }, () => person.ask<Made, object>(CREATE)));
  const payloads = made.map(({ data }) => data?.createSocketTicket);
  expect(payloads.filter((payload) => payload?.ticket)).toHaveLength(10);
  expect(payloads.flatMap((payload) => payload?.userErrors ?? [])).toEqual(
    Array.from({ length: 4 }, () => ({ code: 'LIMIT_REACHED' })),
  );
  expect((await running.client.post(CREATE)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
});

test('a token, a key or anything else in the address is refused, and so is a ticket nobody made', async () => {
  const ticket = await ticketOf(wren);
  for (const query of [
    `token=${wren.token}`,
    `authorization=Bearer%20${wren.token}`,
    `ticket=${ticket}&token=${wren.token}`,
    `ticket=${ticket}&ticket=${ticket}`,
    'ticket=',
    'x',
  ])
    await expect(rawSocket(`${running.client.url}?${query}`)).rejects.toThrow('400');
  for (const forged of ['nonsense', `isp_st_${'A'.repeat(43)}`, `${ticket}x`, wren.token])
    expect((await enter(`ticket=${forged}`)).said).toBe(4403);
});

test('nobody but a gateway may ask whose a ticket is', async () => {
  const { errors } = await wren.ask('mutation { redeemSocketTicket(ticket: "x") { sessionId } }');
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});
