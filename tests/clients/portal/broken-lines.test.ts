import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Answer } from '../../../clients/portal/graph-client.ts';
import { signAccessToken } from '../../../subgraphs/_kernel/access-token.ts';
import { signingKey } from '../../../subgraphs/identity/token-key.service.ts';
import { until } from '../../kernel/by-hand.ts';
import { type Line, openLine } from '../../setup/line.ts';
import { openPortalWorld, type PortalWorld } from './portal-world.ts';

describe('A portal on a line that may break', () => {
  let world: PortalWorld;
  let line: Line;
  beforeAll(async () => {
    world = await openPortalWorld();
    line = await openLine(world.running.gateway.port);
  }, 60_000);
  afterEach(() => world.closePortals());
  afterAll(async () => {
    await line?.close();
    await world?.close();
  });

  test('ten changes missed while it was cut are told one by one when it is mended, and nothing is asked again', async () => {
    const portal = world.open(world.graphOf(world.wren, { url: line.url }));
    await portal.touches('LIVE');
    const { version } = await world.presentLicense();
    line.cut();
    await portal.touches('OUT_OF_TOUCH');
    await world.changeTimes(10);
    expect(portal.store.getHeld().version).toBe(version);
    line.mend();
    await portal.touches('LIVE', 20_000);
    await portal.hears(version + 10);
    expect(portal.versions()).toEqual(Array.from({ length: 11 }, (_, n) => version + n));
    expect(portal.store.getHeld().license).toEqual(await world.presentLicense());
    expect(portal.asked).toBe(1);
  }, 40_000);

  test('a line on which nothing is heard is taken for dead, and the next one goes on', async () => {
    const portal = world.open(world.graphOf(world.wren, { silenceMs: 1_500 }));
    await portal.touches('LIVE');
    await portal.touches('OUT_OF_TOUCH');
    await portal.touches('LIVE');
    expect(portal.asked).toBe(1);
  }, 20_000);

  test('a portal that begins while nobody answers comes up when somebody does', async () => {
    line.cut();
    const portal = world.open(world.graphOf(world.wren, { url: line.url }));
    await portal.touches('OUT_OF_TOUCH');
    expect(portal.store.getHeld().version).toBeNull();
    line.mend();
    await portal.touches('LIVE');
    expect(portal.store.accessTo('tickets')).toBe('FULL');
  });

  test('a stream that ends with its token goes on with the next one, and is never out of touch', async () => {
    const identity = await world.running.world.system('platform', 'identity');
    const { kid, privateKey } = await signingKey(identity);
    const claims = JSON.parse(Buffer.from(String(world.wren.token.split('.')[1]), 'base64url').toString());
    let given = 0;
    const token = async () => {
      given += 1;
      return signAccessToken({ ...claims, exp: Math.floor(Date.now() / 1_000) + 3 }, kid, privateKey);
    };
    const portal = world.open(world.graphOf(world.wren, { token }));
    await portal.touches('LIVE');
    await until('its third stream is open', () => given >= 4, 15_000); // the first token is the query's
    await world.changeTimes(1);
    await portal.hears((await world.presentLicense()).version);
    expect(portal.held.map(({ touch }) => touch)).not.toContain('OUT_OF_TOUCH');
  }, 30_000);

  test('who was signed out elsewhere is told so, and nothing is tried again', async () => {
    const ada = await world.signIn('ada@kestrel.example');
    const portal = world.open(world.graphOf(ada));
    await portal.touches('LIVE');
    await ada.ask('mutation { signOut { isDone } }');
    await portal.touches('ENDED');
    expect(portal.held.map(({ touch }) => touch)).not.toContain('OUT_OF_TOUCH');
  });

  test('a graphql-ws client does as well as plain HTTP', async () => {
    const socket = createClient({
      url: world.running.client.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${world.wren.token}` },
    });
    const portal = world.open({
      ask: world.graphOf(world.wren).ask,
      follow(document, variables, signal) {
        const events = socket.iterate({ query: String(document), variables });
        signal.addEventListener('abort', () => void events.return?.());
        return events as AsyncIterable<Answer<never>>;
      },
    });
    await portal.touches('LIVE');
    const { version } = await world.presentLicense();
    await world.changeTimes(2);
    await portal.hears(version + 2);
    expect(portal.versions()).toEqual([version, version + 1, version + 2]);
    await socket.dispose();
  });
});
