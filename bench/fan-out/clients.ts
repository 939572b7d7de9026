import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Many subscribers in one process, as light as they can be: what is measured is the server. */
const QUERY = 'subscription { tenantUpdated { id slug name } }';
/** Sockets that shake hands at once. */
const AT_ONCE = 50;

interface Subscriber {
  id: string;
  socket: Socket;
  text: string;
  heard: (message: string) => void;
}

const subscribers: Subscriber[] = [];
const buffer = Buffer.alloc(64 * 1024);

const [TEXT, PING, PONG] = [1, 9, 10];

/** A masked frame; a client's message is short. */
function frame(text: string, opcode = TEXT): Buffer {
  const body = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    body.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | body.length])
      : Buffer.from([0x80 | opcode, 0xfe, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, mask, body.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

/** Calls back for each whole text frame in what came; answers how many bytes are left over. */
function readFrames(bytes: Buffer, heard: (message: string, opcode: number) => void): number {
  let at = 0;
  while (bytes.length - at >= 2) {
    const opcode = (bytes[at] as number) & 15;
    let length = (bytes[at + 1] as number) & 127;
    let start = at + 2;
    if (length === 126) {
      if (bytes.length < at + 4) break;
      length = bytes.readUInt16BE(at + 2);
      start = at + 4;
    }
    if (bytes.length < start + length) break;
    heard(bytes.toString('latin1', start, start + length), opcode);
    at = start + length;
  }
  return bytes.length - at;
}

function subscribe(port: number, token: string, id: string): Promise<Subscriber> {
  return new Promise((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    let isOpen = false;
    const subscriber: Subscriber = { id, socket: undefined as never, text: '', heard: () => undefined };
    const take = (count: number, chunk: Uint8Array) => {
      let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, count);
      if (rest.length > 0) bytes = Buffer.concat([rest, bytes]);
      if (!isOpen) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) {
          rest = Buffer.from(bytes);
          return true;
        }
        if (!bytes.toString('latin1', 0, 12).includes('101')) fail(new Error(bytes.toString('latin1', 0, end)));
        isOpen = true;
        bytes = bytes.subarray(end + 4);
        socket.write(frame(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })));
      }
      const left = readFrames(bytes, (message, opcode) => {
        if (opcode === PING) socket.write(frame(message, PONG));
        else if (message === '{"type":"connection_ack"}')
          socket.write(frame(JSON.stringify({ id, type: 'subscribe', payload: { query: QUERY } })));
        else if (message.includes('"next"')) {
          if (!subscriber.text) subscriber.id = String(/"id":"([^"]*)"/.exec(message)?.[1]);
          subscriber.text = message;
          subscriber.heard(message);
          resolve(subscriber);
        } else fail(new Error(`${message} after ${subscriber.text}`));
      });
      rest = left > 0 ? Buffer.from(bytes.subarray(bytes.length - left)) : Buffer.alloc(0);
      return true;
    };
    const fail = (error: Error) => {
      process.send?.({ failure: error.message });
      reject(error);
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: take } });
    subscriber.socket = socket;
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('A socket was closed.')));
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`,
    );
  });
}

/** Waits until all have heard a name; answers when the last one did. Throws if anybody heard anything else. */
function waitFor(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let left = subscribers.length;
    for (const subscriber of subscribers)
      subscriber.heard = (message) => {
        left -= 1;
        if (left > 0) return;
        const at = performance.timeOrigin + performance.now();
        const expected = (id: string) =>
          `{"id":"${id}","type":"next","payload":{"data":{"tenantUpdated":{"id":"01990000-0000-7000-8000-000000000a01","slug":"kestrel","name":"${name}"}}}}`;
        const wrong = subscribers.find(({ id, text }) => text !== expected(id));
        if (wrong) reject(new Error(`${message} is not ${expected(wrong.id)}: ${wrong.text}`));
        else resolve(at);
      };
  });
}

type Order = { do: 'connect'; port: number; token: string; count: number } | { do: 'wait'; name: string };

process.on('message', async (order: Order) => {
  try {
    if (order.do === 'connect') {
      for (let i = 0; i < order.count; i += AT_ONCE)
        subscribers.push(
          ...(await Promise.all(
            Array.from({ length: Math.min(AT_ONCE, order.count - i) }, (_, j) =>
              subscribe(order.port, order.token, `stream-${subscribers.length + j}`),
            ),
          )),
        );
      process.send?.({ connected: subscribers.length });
    }
    if (order.do === 'wait') {
      const heard = waitFor(order.name);
      process.send?.({ isWaiting: true });
      process.send?.({ lastAt: await heard });
    }
  } catch (error) {
    process.send?.({ failure: (error as Error).message });
  }
});
process.send?.({ isReady: true });
