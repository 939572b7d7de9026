import { once } from 'node:events';
import { connect } from 'node:net';
import type WebSocket from 'ws';
import { type GraphError, openGatewayWorld, type Person, rawSocket } from './setup/gateway.ts';

type Message = { id?: string; type: string; payload?: unknown };

const STREAM = 'subscription { licenseUpdated { kind } }';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('What attackers tried', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const refusalOf = async (query: string, variables?: Record<string, unknown>) => {
    const startedAt = performance.now();
    const { errors } = await ingrid.ask(query, variables);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    return errors?.[0]?.extensions.code;
  };

  /** A socket that is signed in, and everything it hears. */
  const socketOf = async (token: string) => {
    const socket = await rawSocket(running.client.url);
    const heard: Message[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data)) as Message));
    socket.on('error', () => undefined);
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    await once(socket, 'message');
    const ask = (id: string, query: string, variables?: object) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } }));
    const until = async (holds: () => boolean) => {
      for (let i = 0; i < 200 && !holds(); i++) await pause(25);
      expect(holds()).toBe(true);
    };
    return { socket, heard, ask, until };
  };
  const codesOf = (messages: Message[]) =>
    messages.filter(({ type }) => type === 'error').map(({ payload }) => (payload as GraphError[])[0]?.extensions.code);

  /** Sends bytes to the gateway and tears the connection down at once, or hears what comes back. */
  const sendRaw = (text: string, isTornDown: boolean) =>
    new Promise<string>((resolve) => {
      const socket = connect(running.gateway.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (data) => {
        heard += data;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(heard));
      socket.on('connect', () => {
        socket.write(text);
        if (isTornDown) socket.resetAndDestroy();
      });
    });
  const upgrade = (path: string, origin: string) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: ${origin}\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  test('a connection torn down while its upgrade is refused takes nothing with it, and a refused one is closed', async () => {
    for (let i = 0; i < 10; i++) {
      await sendRaw(upgrade('/elsewhere', 'http://localhost'), true);
      await sendRaw(upgrade('/graphql', 'https://evil.example'), true);
    }
    await expect(sendRaw(upgrade('/elsewhere', 'http://localhost'), false)).resolves.toMatch(
      /^HTTP\/1.1 404 Not Found/,
    );
    await expect(sendRaw(upgrade('/graphql', 'https://evil.example'), false)).resolves.toMatch(/^HTTP\/1.1 403 Forb/);
    await expect(ingrid.ask('{ tenant { slug } }')).resolves.toMatchObject({ status: 200 });
  });

  test('an address that is none is not found, and no fault of ours', async () => {
    await expect(sendRaw('GET // HTTP/1.1\r\nHost: x\r\n\r\n', false)).resolves.toMatch(/^HTTP\/1.1 404/);
  });

  test.each([
    'Unknown',
    'F0',
  ])('fragments that double at each step and end in %s are refused before they are walked', async (leaf) => {
    const steps = Array.from({ length: 40 }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`);
    const query = `{ ...F0 } ${steps.join(' ')} fragment F40 on Query { ...${leaf} }`;
    await expect(refusalOf(query)).resolves.toBe('OPERATION_LIMIT');
  });

  test('a document nested until the parser gives up is refused for that', async () => {
    await expect(refusalOf(`{ customer(id: ${'['.repeat(4_900)}${']'.repeat(4_900)}) { id } }`)).resolves.toBe(
      'OPERATION_LIMIT',
    );
    await expect(refusalOf(`{${'...{'.repeat(2_400)}__typename${'}'.repeat(2_400)}}`)).resolves.toBe('OPERATION_LIMIT');
  });

  const hop = (times: number): string =>
    times === 0 ? 'id' : `id tickets(first: $n) { nodes { id customer { ${hop(times - 1)} } } }`;
  const hops = (times: number) => `query($n: Int! = 100) { customers(first: 1) { nodes { ${hop(times)} } } }`;

  test('pages of a hundred within pages of a hundred are refused before anybody is asked; small ones are answered', async () => {
    await expect(refusalOf(hops(3))).resolves.toBe('OPERATION_LIMIT');
    await expect(refusalOf(hops(3), { n: 2 })).resolves.toBeUndefined();
    const socket = await socketOf(ingrid.token);
    socket.ask('a', hops(3));
    await socket.until(() => socket.heard.length > 2);
    expect(socket.heard.at(-2)).toMatchObject({ payload: { errors: [{ extensions: { code: 'OPERATION_LIMIT' } }] } });
    socket.socket.terminate();
  });

  test('introspection lends its depth to nothing that stands beside it', async () => {
    const query = `query($n: Int!) { __schema { queryType { name } } customers(first: 1) { nodes { ${hop(4)} } } }`;
    await expect(refusalOf(query, { n: 1 })).resolves.toBe('OPERATION_LIMIT');
  });

  test('a text that cannot be stored costs a stream its opening, and the socket nothing', async () => {
    const { socket, heard, ask, until } = await socketOf(ingrid.token);
    ask('a', 'subscription($t: ID!) { ticketUpdated(ticketId: $t) { cursor } }', { t: '\0' });
    await until(() => heard.some(({ type }) => type === 'complete'));
    expect(heard[1]).toMatchObject({ id: 'a', payload: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
    ask('b', '{ tenant { slug } }');
    await until(() => heard.some(({ id }) => id === 'b'));
    socket.terminate();
  });

  test('three hundred streams asked for at once are a hundred, and as many queries at once are fifty', async () => {
    const { socket, heard, ask, until } = await socketOf(ingrid.token);
    const idsOf = (kind: string) => new Set(heard.flatMap(({ id }) => (id?.startsWith(kind) ? [id] : []))).size;
    for (let i = 0; i < 300; i++) ask(`s${i}`, STREAM);
    await until(() => idsOf('s') === 300);
    expect(codesOf(heard)).toEqual(Array(200).fill('RATE_LIMITED'));
    for (let i = 0; i < 300; i++) ask(`q${i}`, '{ tenant { slug } }');
    await until(() => idsOf('q') === 300);
    expect(codesOf(heard).length).toBeGreaterThan(200);
    ask('last', '{ tenant { slug } }');
    await until(() => heard.some(({ id, type }) => id === 'last' && type === 'next'));
    socket.terminate();
  });

  test('streams given up while they open leave their places free', async () => {
    const { socket, heard, ask, until } = await socketOf(ingrid.token);
    for (let i = 0; i < 250; i++) {
      ask(`s${i}`, STREAM);
      socket.send(JSON.stringify({ id: `s${i}`, type: 'complete' }));
      if (i % 50 === 49) await pause(200);
    }
    ask('last', STREAM);
    await until(() => heard.some(({ id }) => id === 'last'));
    expect(heard.find(({ id }) => id === 'last')).toMatchObject({ type: 'next' });
    socket.terminate();
  });

  test('a client that asks and never reads is hung up on', async () => {
    const { socket } = await socketOf(ingrid.token);
    (socket as WebSocket & { _socket: { pause(): void } })._socket.pause();
    const payload = { text: 'x'.repeat(60_000) };
    let sent = 0;
    for (; sent < 2_000 && socket.readyState === socket.OPEN; sent++) {
      socket.send(JSON.stringify({ type: 'ping', payload }));
      if (sent % 20 === 19) await pause(5);
    }
    expect(sent).toBeLessThan(2_000);
  });
});
