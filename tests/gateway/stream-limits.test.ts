import { setTimeout as sleep } from 'node:timers/promises';
import { openApolloDoor } from '../../gateway/apollo-server.ts';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { openHttpDoor } from '../../gateway/http.ts';
import { remoteSubgraph } from '../../gateway/http-transport.ts';
import { sourcesOpen, streamDrops, streamEnds } from '../../gateway/metrics.ts';
import { startGateway } from '../../gateway/start.ts';
import { STREAM_LIMITS, type StreamLimits } from '../../gateway/subscriptions/stream-limits.ts';
import { serveOverHttp } from '../../subgraphs/_kernel/subgraph-server.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { until } from '../kernel/by-hand.ts';
import { GatewayClient, openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';
import { DOORS, type Door, type Followed, followOver } from '../setup/streams.ts';

const NAME = 'subscription { tenantUpdated { name } }';
/** Some hundred kilobytes for each event, so that what a connection takes by itself is soon full. */
const LONG_NAMES = Array.from({ length: 29 }, (_, i) => `${'long'.repeat(15)}${i}: feature`).join(' ');
const LARGE = `subscription { tenantUpdated { name license { features { ${LONG_NAMES} } } } }`;

interface Renamed {
  tenantUpdated: { name: string };
}

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let ingrid: Person;
const opened: Followed[] = [];
const doors: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  running = await openGatewayWorld();
  ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
}, 60_000);
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.stop();
  await Promise.all(doors.splice(0).map((door) => door.stop()));
});
afterAll(() => running?.close());

/** Other doors of the same gateway, with limits of their own. */
async function open(limits: Partial<StreamLimits>): Promise<{ url: string; stop(): Promise<void> }> {
  const { graph } = running.gateway;
  const door = await openHttpDoor(graph, await openApolloDoor(graph, undefined), {
    host: '127.0.0.1',
    port: 0,
    allowedOrigins: [],
    isOwnOriginAllowed: false,
    trustsProxy: false,
    forwardedHeaders: [],
    streamLimits: { ...STREAM_LIMITS, ...limits },
    pages: new Map(),
    log: createLog(running.world.config, 'gateway'),
  });
  doors.push(door);
  return { url: `http://127.0.0.1:${door.port}/graphql`, stop: () => door.stop() };
}

const follow = async (door: Door, url: string, query = NAME, who = ingrid) => {
  const stream = await followOver(door, { url, token: who.token, query });
  opened.push(stream);
  return stream;
};
const rename = async (name: string) => {
  const { errors } = await ingrid.ask(
    `mutation { updateTenantProfile(input: { name: "${name}" }) { userErrors { message } } }`,
  );
  expect(errors).toBeUndefined();
};
const figure = async (metric: typeof streamDrops | typeof sourcesOpen, labels: Record<string, string> = {}) =>
  (await metric.get()).values
    .filter((value) => Object.entries(labels).every(([name, wanted]) => value.labels[name as never] === wanted))
    .reduce((sum, { value }) => sum + value, 0);

describe('A reader that does not read', () => {
  test('is told the newest state once it reads again, and the others feel nothing', async () => {
    const { url } = await open({ readMs: 300_000 });
    const drops = await Promise.all(DOORS.map((door) => figure(streamDrops, { door })));
    const slow = await Promise.all(DOORS.map((door) => follow(door, url, LARGE)));
    const quick = await follow('sse', url, LARGE);
    for (const stream of [...slow, quick]) expect((await stream.next()).errors).toBeUndefined();
    for (const stream of slow) stream.pause();
    const hasDropped = async () =>
      (
        await Promise.all(DOORS.map((door, i) => figure(streamDrops, { door }).then((now) => now > Number(drops[i]))))
      ).every(Boolean);
    let told = 0;
    while (!(await hasDropped())) {
      told += 1;
      await rename(`Busy ${told}`);
      expect((await quick.next<Renamed>()).data?.tenantUpdated.name).toBe(`Busy ${told}`);
    }
    await rename('Northwind Fibre');
    expect((await quick.next<Renamed>()).data?.tenantUpdated.name).toBe('Northwind Fibre');
    for (const stream of slow) {
      stream.resume();
      let heard = 0;
      for (let name = ''; name !== 'Northwind Fibre'; heard++)
        name = String((await stream.next<Renamed>()).data?.tenantUpdated.name);
      expect(heard).toBeLessThan(told);
    }
    await rename('Awake');
    for (const stream of slow) expect((await stream.next<Renamed>()).data?.tenantUpdated.name).toBe('Awake');
    await until('they share a source again', async () => (await figure(sourcesOpen)) === 1);
  }, 240_000);

  test('is cut off when it still does not read, and the others feel nothing', async () => {
    const { url } = await open({ readMs: 300 });
    const cut = await Promise.all(DOORS.map((door) => figure(streamEnds, { door, reason: 'slow' })));
    const slow = await Promise.all(DOORS.map((door) => follow(door, url, LARGE)));
    const quick = await follow('websocket', url, LARGE);
    for (const stream of [...slow, quick]) expect((await stream.next()).errors).toBeUndefined();
    for (const stream of slow) stream.pause();
    const isCut = async () =>
      (
        await Promise.all(
          DOORS.map((door, i) => figure(streamEnds, { door, reason: 'slow' }).then((now) => now > Number(cut[i]))),
        )
      ).every(Boolean);
    for (let told = 1; !(await isCut()); told++) {
      await rename(`Busy ${told}`);
      expect((await quick.next<Renamed>()).data?.tenantUpdated.name).toBe(`Busy ${told}`);
    }
    for (const stream of slow) stream.resume();
    await Promise.all(slow.map(({ ended }) => ended));
  }, 240_000);
});

describe('What may be open', () => {
  test('is so many streams of a user, over all doors together', async () => {
    const { url } = await open({ streamsPerUser: 3 });
    const streams = await Promise.all(DOORS.map((door) => follow(door, url)));
    for (const stream of streams) expect((await stream.next()).errors).toBeUndefined();
    for (const door of DOORS) {
      const refused = await follow(door, url);
      expect((await refused.next()).errors).toEqual([
        { message: 'You have 3 streams open already.', extensions: { code: 'RATE_LIMITED' } },
      ]);
    }
    const samira = await running.client.signIn('samira@northwind.example', running.password);
    expect((await (await follow('sse', url, NAME, samira)).next()).errors).toBeUndefined();
    streams[1]?.stop();
    await until('a place is free', async () => !(await (await follow('sse', url)).next()).errors);
  });

  test('is so many sockets of a user, of an address, and operations of a socket', async () => {
    const { url } = await open({ socketsPerUser: 2, socketsPerAddress: 3, runningPerSocket: 2 });
    const closes: Promise<number | undefined>[] = [];
    for (let i = 0; i < 2; i++) closes.push((await follow('websocket', url)).ended);
    const third = await rawSocket(url);
    const closed = new Promise<number>((resolve) => third.on('close', resolve));
    third.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ingrid.token}` } }));
    await expect(rawSocket(url)).rejects.toThrow('429');
    expect(await closed).toBe(4429);
    const stranger = await rawSocket(url);
    const heard: { type: string; payload?: { extensions: { code: string } }[] }[] = [];
    stranger.on('message', (text) => heard.push(JSON.parse(String(text))));
    stranger.send(JSON.stringify({ type: 'connection_init' }));
    await until('it is let in', () => heard.length === 1);
    const query = 'query Slow { plans { code } }';
    for (const id of ['1', '2', '3']) stranger.send(JSON.stringify({ type: 'subscribe', id, payload: { query } }));
    await until('one is refused', () => heard.some(({ type }) => type === 'error'));
    expect(heard.find(({ type }) => type === 'error')?.payload?.[0]?.extensions.code).toBe('RATE_LIMITED');
    stranger.close();
  });

  test('is no socket that does not say who it is within five seconds', async () => {
    const socket = await rawSocket(running.client.url);
    const at = Date.now();
    expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(4408);
    expect(Date.now() - at).toBeGreaterThan(4_500);
  }, 10_000);
});

test('every door beats while nothing happens', async () => {
  const streams = await Promise.all(DOORS.map((door) => follow(door, running.client.url)));
  await until('all have beaten', () => streams.every((stream) => stream.hasBeaten()), 20_000);
  for (const stream of streams) await stream.next();
}, 30_000);

test('a gateway that goes away ends its streams: with a reason over HTTP, with 1001 on sockets', async () => {
  const { url, stop } = await open({});
  const streams = await Promise.all(DOORS.map((door) => follow(door, url)));
  for (const stream of streams) await stream.next();
  const at = Date.now();
  const stopped = stop();
  const [socket, ...others] = streams;
  expect(await socket?.ended).toBe(1001);
  for (const stream of others) {
    expect((await stream.next()).errors?.[0]?.extensions).toEqual({
      code: 'SUBGRAPH_UNAVAILABLE',
      reason: 'GOING_AWAY',
    });
    await stream.ended;
  }
  await stopped;
  expect(Date.now() - at).toBeLessThan(5_000);
});

test('a subgraph that goes away ends its streams with one code; the socket and the others’ streams stay', async () => {
  const { world, password } = running;
  const server = await serveOverHttp(world.subgraph('tenancy'), { host: '127.0.0.1', port: 0 });
  const log = createLog(world.config, 'gateway');
  const sources = new Map(world.serving.subgraphs.map((one) => [one.name, localSubgraph(one)]));
  sources.set('tenancy', remoteSubgraph('tenancy', server.url, log));
  const gateway = await startGateway(world.config, sources, world.serving.fanOut, log);
  const client = new GatewayClient(gateway.port);
  try {
    const mira = await client.signIn('mira@northwind.example', password);
    const streams = await Promise.all(DOORS.map((door) => follow(door, client.url, NAME, mira)));
    for (const stream of streams) await stream.next();
    const socket = await rawSocket(client.url);
    const heard: { id?: string; type: string; payload?: { errors?: { extensions: object }[] } }[] = [];
    socket.on('message', (text) => heard.push(JSON.parse(String(text))));
    const say = (message: object) => socket.send(JSON.stringify(message));
    say({ type: 'connection_init', payload: { authorization: `Bearer ${mira.token}` } });
    await until('it is let in', () => heard.length === 1);
    say({ type: 'subscribe', id: 'gone', payload: { query: NAME } });
    say({ type: 'subscribe', id: 'stays', payload: { query: 'subscription { licenseUpdated { kind } }' } });
    await until('both have begun', () => heard.length === 3);
    await rename('Apart');
    for (const stream of streams) expect((await stream.next()).data).toEqual({ tenantUpdated: { name: 'Apart' } });
    await server.stop();
    for (const stream of streams) {
      expect((await stream.next()).errors?.[0]?.extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE' });
      await stream.ended;
    }
    await until('its stream is complete', () => heard.some(({ id, type }) => id === 'gone' && type === 'complete'));
    expect(heard.filter(({ id, payload }) => id === 'gone' && payload?.errors)).toHaveLength(1);
    expect(heard.some(({ id, type }) => id === 'stays' && type === 'complete')).toBe(false);
    say({ type: 'subscribe', id: 'q', payload: { query: '{ me { user { displayName } } }' } });
    await until('the socket still answers', () => heard.some(({ id, type }) => id === 'q' && type === 'complete'));
    socket.close();
    await sleep(50);
  } finally {
    await client.close();
    await gateway.stop();
    await server.stop().catch(() => undefined);
  }
}, 30_000);
