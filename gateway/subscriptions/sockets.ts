import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE } from '../limits.ts';
import { Places } from './stream-limits.ts';

/** What a client may leave unread before its socket is ended, bytes. */
const MAX_UNREAD = 16 * 1024 * 1024;
/** A socket is asked this often whether somebody is there, and ended when nobody answered before the next time, milliseconds. */
const PING_MS = 15_000;
/** Sockets are asked in so many turns, so that not all answer at once. */
const PING_TURNS = 60;

/** How long a client may take to answer a goodbye, milliseconds. */
const GOODBYE_MS = 2_000;

export interface SocketOptions {
  path: string;
  isAllowed: (origin: string) => boolean;
  addressOf: (request: IncomingMessage) => string;
  perAddress: number;
  /** Takes an open socket; `net` is the connection it stands on. */
  onOpen: (
    socket: WebSocket,
    net: Socket,
    address: string,
    ticket: string | undefined,
    host: string | undefined,
  ) => void;
}

/** Lets WebSockets in at a path of an HTTP server: from allowed origins, so many from an address, and keeps them alive. */
export function acceptSockets(server: Server, options: SocketOptions): { close(): void } {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols,
  });
  const turns = Array.from({ length: PING_TURNS }, () => new Set<WebSocket>());
  const silent = new WeakSet<WebSocket>();
  const places = new Places(options.perAddress);
  let turn = 0;
  const timer = setInterval(() => {
    turn = (turn + 1) % PING_TURNS;
    for (const socket of turns[turn] as Set<WebSocket>) {
      if (silent.has(socket) || socket.bufferedAmount > MAX_UNREAD) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.ping();
    }
  }, PING_MS / PING_TURNS).unref();

  server.on('upgrade', (request, connection, head) => {
    const { origin } = request.headers;
    const [path, query] = String(request.url).split('?');
    if (path !== options.path) return turnAway(connection, 404);
    if (origin && !options.isAllowed(origin)) return turnAway(connection, 403);
    const ticket = ticketIn(query);
    if (ticket === null) return turnAway(connection, 400);
    const address = options.addressOf(request);
    const leave = places.take(address);
    if (!leave) return turnAway(connection, 429);
    connection.once('close', leave);
    sockets.handleUpgrade(request, connection, head, (socket) => {
      const mine = turns[turn] as Set<WebSocket>;
      mine.add(socket);
      // A message over the limit is the client's affair and closes with 1009; what else is wrong ends the socket.
      socket.on('error', () => socket.terminate());
      socket.on('close', () => mine.delete(socket));
      socket.on('pong', () => silent.delete(socket));
      // It asks and never reads.
      socket.on('message', () => socket.bufferedAmount > MAX_UNREAD && socket.terminate());
      options.onOpen(socket, connection as Socket, address, ticket, request.headers.host);
    });
  });
  return {
    close() {
      clearInterval(timer);
      const open = turns.flatMap((some) => [...some]);
      for (const socket of open) socket.close(1001, 'Going away');
      setTimeout(() => {
        for (const socket of open) socket.terminate();
      }, GOODBYE_MS).unref();
    },
  };
}

/** Largest payloads of a frame whose length takes no more bytes, and two; RFC 6455, section 5.2. */
const [SHORT, MEDIUM] = [125, 0xffff];

/** One text message of a server as the bytes of one frame (RFC 6455): `middle` is shared by many. */
export function textFrame(head: string, middle: Buffer, tail: string): Buffer {
  const before = Buffer.byteLength(head);
  const length = before + middle.length + tail.length;
  const start = length <= SHORT ? 2 : length <= MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x81;
  if (length <= SHORT) frame[1] = length;
  else if (length <= MEDIUM) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(head, start);
  middle.copy(frame, start + before);
  frame.write(tail, start + before + middle.length, 'latin1');
  return frame;
}

/** The ticket in an address's query; null when there is anything else: keys and tokens do not belong in addresses. */
function ticketIn(query: string | undefined): string | undefined | null {
  const given = [...new URLSearchParams(query)];
  if (given.length === 0) return undefined;
  const [[name, value] = []] = given;
  return given.length === 1 && name === 'ticket' && value ? value : null;
}

/** Answers an upgrade that is refused. From here on the connection is ours, and what goes wrong on it, too. */
function turnAway(connection: Duplex, status: 400 | 403 | 404 | 429): void {
  connection.on('error', () => connection.destroy());
  connection.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n\r\n`, () => connection.destroy());
}
