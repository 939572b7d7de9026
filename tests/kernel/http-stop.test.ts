import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopOf } from '../../subgraphs/_kernel/http-stop.ts';

describe('A server that stops', () => {
  let server: Server;
  let stop: () => Promise<void>;
  /** Answers what was asked so far. */
  let answer: () => void;
  beforeEach(async () => {
    const waiting: (() => void)[] = [];
    answer = () => {
      for (const end of waiting.splice(0)) end();
    };
    server = createServer((_, response) => waiting.push(() => response.end('answered')));
    server.keepAliveTimeout = 60_000;
    stop = stopOf(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(server, 'connection');
    return socket;
  };

  test('waits for no connection on which nothing was ever asked', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    const at = performance.now();
    await stop();
    expect(performance.now() - at).toBeLessThan(5_000);
    await closed;
  });

  test('answers what is asked, and waits no longer for the connection that it came by', async () => {
    const socket = await open();
    let heard = '';
    socket.on('data', (text) => (heard += text));
    const asked = once(server, 'request');
    socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
    await asked;
    let isStopped = false;
    const at = performance.now();
    const stopped = stop().then(() => (isStopped = true));
    await sleep(300);
    expect(isStopped).toBe(false);
    const closed = once(socket, 'close');
    answer();
    await stopped;
    expect(performance.now() - at).toBeLessThan(5_000);
    await closed;
    expect(heard).toContain('answered');
  });
});
