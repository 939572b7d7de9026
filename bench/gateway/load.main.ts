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
function check(bytes: Buffer): void {
  if (expected && bytes.equals(expected)) return;
  const { data, errors } = JSON.parse(bytes.toString('utf8'));
  if (errors || JSON.stringify(data) !== expectedData) wrong += 1;
  else expected = Buffer.from(bytes);
}

function run(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let chunks: Buffer[] = [];
    let size = 0;
    let startedAt = 0;
    const next = () => {
      if (performance.now() >= until) return void socket.end(resolve);
      startedAt = performance.now();
      socket.write(request());
    };
    socket.setNoDelay(true);
    socket.on('connect', next).on('error', reject);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, size);
      const found = readBody(bytes);
      chunks = [bytes];
      if (!found) return;
      chunks = [];
      size = 0;
      if (startedAt >= measureFrom) latencies.push(performance.now() - startedAt);
      check(found);
      next();
    });
  });
}

/** The body of a response that has come whole, with a length or in chunks. */
function readBody(bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end + 2);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined)
    return bytes.length >= end + 4 + Number(length) ? bytes.subarray(end + 4, end + 4 + Number(length)) : undefined;
  if (bytes.toString('latin1', bytes.length - 5) !== '0\r\n\r\n') return undefined;
  const parts: Buffer[] = [];
  for (let at = end + 4; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const part = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (part === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + part));
    at = line + 4 + part;
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
