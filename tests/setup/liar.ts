import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What a subgraph that cannot be trusted does with a request it has read. */
export type Lie = (response: ServerResponse, body: string, request: IncomingMessage) => void | Promise<void>;

/** A real HTTP server at which anything may go wrong. */
export interface Liar {
  url: string;
  /** What it does with the next requests. */
  lie: Lie;
  /** Requests it has read. */
  requests: IncomingMessage[];
  /** Bytes of answers it got rid of. */
  sent(): number;
  /** Connections that are open now. */
  connections(): number;
  /** Closes the connections nobody is being answered on, as a server that is tired of waiting does. */
  closeIdle(): void;
  close(): Promise<void>;
}

/** @param port the one it listens on; by default any that is free. */
export async function openLiar(lie: Lie, port = 0): Promise<Liar> {
  const open = new Set<Socket>();
  let sent = 0;
  const server: Server = createServer(async (request, response) => {
    liar.requests.push(request);
    let body = '';
    for await (const chunk of request) body += chunk;
    await liar.lie(response, body, request);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sent += socket.bytesWritten;
      open.delete(socket);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const liar: Liar = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    lie,
    requests: [],
    sent: () => [...open].reduce((sum, socket) => sum + socket.bytesWritten, sent),
    connections: () => open.size,
    closeIdle: () => server.closeIdleConnections(),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return liar;
}

/** Says something in JSON, as an honest subgraph would. */
export const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Lie =>
  (response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text);
  };

const MB = 1024 * 1024;

/** Answers `size` bytes of JSON, for as long as somebody takes them. */
export const talksOn =
  (size: number, headers: Record<string, string | number> = {}): Lie =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.write('{"data":{"leads":"');
    const chunk = Buffer.alloc(MB / 4, 'x');
    let left = size;
    const more = () => {
      for (; left > 0 && !response.destroyed; left -= chunk.length) if (!response.write(chunk)) return;
      response.end('"}}');
    };
    response.on('drain', more);
    more();
  };

const packed = gzipSync(Buffer.alloc(64 * MB, ' '));

/** An answer that takes little of the wire and much of the memory of who unpacks it. */
export const bomb: Lie = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  response.end(packed);
};

/** Answers a byte at a time, `everyMs`. */
export const drips =
  (text: string, everyMs: number): Lie =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    let at = 0;
    const timer = setInterval(() => {
      if (at < text.length) response.write(text[at++]);
      else response.end();
    }, everyMs);
    response.on('close', () => clearInterval(timer));
  };

export const hangs: Lie = () => undefined;

/** Begins its headers and never ends them. */
export const dawdles: Lie = (response) => void response.socket?.write('HTTP/1.1 200 OK\r\ncontent-type: appli');

/** Cuts the connection when half of the answer is out. */
export const cutsOff: Lie = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
  response.write('{"data":{"leads"');
  setTimeout(() => response.socket?.resetAndDestroy(), 10);
};

/** Cuts the connection before it says anything. */
export const hangsUp: Lie = (response) => void response.socket?.resetAndDestroy();
