import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** What becomes of a socket. */
export interface Ear {
  /** Who it is was accepted: it may subscribe. */
  ready(): void;
  /** A message of the protocol. */
  heard(message: string): void;
  /** It ended, for whatever reason. */
  ended(error: Error): void;
}

/** One shared by all: what is in it is read before the next socket's turn. */
const buffer = Buffer.alloc(64 * 1024);

const [TEXT, PING, PONG] = [1, 9, 10];

/**
 * A `graphql-transport-ws` client as light as it can be, so that thousands fit in one process and what is measured is
 * the server.
 */
export class LightSocket {
  private readonly socket: Socket;
  private readonly token: string;
  private readonly ear: Ear;
  private rest: Buffer = Buffer.alloc(0);
  private isOpen = false;
  private isOver = false;

  constructor(port: number, token: string, ear: Ear) {
    this.token = token;
    this.ear = ear;
    const callback = (count: number, chunk: Uint8Array) => {
      this.take(Buffer.from(chunk.buffer, chunk.byteOffset, count));
      return true;
    };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('close', () => this.end(new Error('A socket was closed.')));
    this.socket.write(
      `GET /graphql HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`,
    );
  }

  send(message: object): void {
    this.socket.write(frame(JSON.stringify(message)));
  }

  close(): void {
    this.isOver = true;
    this.socket.destroy();
  }

  private end(error: Error): void {
    if (this.isOver) return;
    this.close();
    this.ear.ended(error);
  }

  private take(chunk: Buffer): void {
    let bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    if (!this.isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.rest = Buffer.from(bytes);
        return;
      }
      if (!bytes.toString('latin1', 0, 12).includes('101')) {
        this.end(new Error(bytes.toString('latin1', 0, end)));
        return;
      }
      this.isOpen = true;
      bytes = bytes.subarray(end + 4);
      this.send({ type: 'connection_init', payload: { authorization: `Bearer ${this.token}` } });
    }
    const left = readFrames(bytes, (message, opcode) => {
      if (this.isOver) return;
      if (opcode === PING) this.socket.write(frame(message, PONG));
      else if (opcode !== TEXT) this.end(new Error(`A socket was closed: ${message.slice(2)}.`));
      else if (message === '{"type":"connection_ack"}') this.ear.ready();
      else this.ear.heard(message);
    });
    this.rest = left > 0 ? Buffer.from(bytes.subarray(bytes.length - left)) : Buffer.alloc(0);
  }
}

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

/** Calls back for each whole frame in what came; answers how many bytes are left over. */
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
