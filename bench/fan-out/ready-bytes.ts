import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { textFrame } from '../../gateway/subscriptions/sockets.ts';
import { answerOrders } from './orders.ts';

/** Sockets that are written to, and nothing else: what Node and the kernel take for it, whoever serves. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const sockets: Socket[] = [];
let at = 0;
const eventOf = (i: number, name: string) =>
  textFrame(
    `{"id":"stream-${i}","type":"next","payload":`,
    Buffer.from(
      `{"data":{"tenantUpdated":{"id":"01990000-0000-7000-8000-000000000a01","slug":"kestrel","name":"${name}"}}}`,
    ),
    '}',
  );

const server = createServer().on('upgrade', (request, socket: Socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  socket.setNoDelay().on('error', () => undefined);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  const i = sockets.push(socket) - 1;
  socket.once('data', () => socket.write(eventOf(i, 'Kestrel Wireless')));
});
server.listen(0, '127.0.0.1', () =>
  answerOrders({
    port: (server.address() as AddressInfo).port,
    token: 'nobody looks',
    async publish(name) {
      const frames = sockets.map((_, i) => eventOf(i, name));
      at = performance.timeOrigin + performance.now();
      for (const [i, socket] of sockets.entries()) socket.write(frames[i] as Buffer);
    },
    publishedAt: async () => at,
    close: async () => process.exit(0),
  }),
);
