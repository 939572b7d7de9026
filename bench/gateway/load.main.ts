import { connect } from 'node:net';
import { QUERY } from './shop.ts';

/**
 * A closed loop over plain sockets: each sends the query, waits for the answer, compares it byte by byte with the first
 * that was checked in full, and sends again. Every request has an `authorization` of its own.
 */
const [port, connections, seconds, expectedData] = process.argv.slice(2) as [string, string, string, string];
const body = JSON.stringify({ query: QUERY });
const latencies: number[] = [];
let sent = 0;
let wrong = 0;
let expected: Buffer | undefined;
let measureFrom = Number.POSITIVE_INFINITY;
let until = Number.POSITIVE_INFINITY;

function request(): string {
  sent += 1;
  return `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json\r\nauthorization: Bearer t${process.pid}-${sent}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Whether an answer is right: the same data, whatever else stands beside them. */
function check(parts: readonly Buffer[]): void {
  if (expected && isExpected(parts, expected)) return;
  const bytes = Buffer.concat(parts);
  const { data, errors } = JSON.parse(bytes.toString('utf8'));
  if (errors || JSON.stringify(data) !== expectedData) wrong += 1;
  else expected = bytes;
}

/** Byte by byte, without putting the parts together. */
function isExpected(parts: readonly Buffer[], whole: Buffer): boolean {
  let at = 0;
  for (const part of parts) {
    if (part.compare(whole, at, at + part.length) !== 0) return false;
    at += part.length;
  }
  return at === whole.length;
}

function run(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let parts: Buffer[] = [];
    /** Bytes of the body that are still to come; undefined where the response does not say, or nothing has come. */
    let missing: number | undefined;
    let startedAt = 0;
    const next = () => {
      parts = [];
      missing = undefined;
      if (performance.now() >= until) return void socket.end(resolve);
      startedAt = performance.now();
      socket.write(request());
    };
    const finish = (body: readonly Buffer[]) => {
      if (startedAt >= measureFrom) latencies.push(performance.now() - startedAt);
      check(body);
      next();
    };
    socket.setNoDelay(true);
    socket.on('connect', next).on('error', reject);
    socket.on('data', (chunk) => {
      const found = parts.length === 0 ? bodyWithLength(chunk) : undefined;
      if (found) {
        missing = found.length - found.body.length;
        parts.push(found.body);
      } else {
        parts.push(chunk);
        if (missing !== undefined) missing -= chunk.length;
      }
      if (missing === 0) return finish(parts);
      const body = missing === undefined && bodyInChunks(Buffer.concat(parts));
      if (body) finish([body]);
    });
  });
}

/** What of the body came with the head, and how long the body is, where the head says so. */
function bodyWithLength(bytes: Buffer): { length: number; body: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  const length = end < 0 ? undefined : /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, end + 2))?.[1];
  return length === undefined ? undefined : { length: Number(length), body: bytes.subarray(end + 4) };
}

/** The body of a response in chunks that has come whole. */
function bodyInChunks(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 || bytes.toString('latin1', bytes.length - 5) !== '0\r\n\r\n') return undefined;
  const found: Buffer[] = [];
  for (let at = end + 4; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (size === 0) return Buffer.concat(found);
    found.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}

const now = performance.now();
const warmSeconds = Number(seconds) / 2;
measureFrom = now + warmSeconds * 1_000;
until = measureFrom + Number(seconds) * 1_000;
await Promise.all(Array.from({ length: Number(connections) }, run));
latencies.sort((a, b) => a - b);
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
console.log(
  JSON.stringify({ perSecond: latencies.length / Number(seconds), p50: at(0.5), p99: at(0.99), wrong, sent }),
);
