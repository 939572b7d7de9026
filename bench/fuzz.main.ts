import 'reflect-metadata';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import WebSocket from 'ws';
import { ERROR_CODES } from '../schema/errors.ts';
import { openGatewayWorld } from '../tests/setup/gateway.ts';
import { type Draw, drawInput, drawing, drawMessages, type Input } from './fuzz.inputs.ts';
import { withDatabase } from './setup.ts';

/** Requests on their way at once. */
const LANES = 6;
/** An answer that has not ended by then is left; streams are ended so, milliseconds. */
const PATIENCE_MS = 4_000;
/** How often a right request is sent between the wrong ones, and memory looked at, milliseconds. */
const CHECK_MS = 15_000;
/** An access token lives five minutes; milliseconds. */
const TOKEN_MS = 120_000;
/** What the heap may grow between the first looks and the last, bytes. */
const MAX_GROWTH = 32 * 1024 * 1024;
/** Faults of one kind with one outcome that are shown. */
const MAX_SAMPLES = 2;

const LEAKS = /node_modules|\.ts:\d|at \w+ \(|postgres:|ECONN|Did you mean |select .* from|127\.0\.0\.1:/;

/** What came back, counted: `kind → outcome → how often`. */
type Tally = Record<string, Record<string, number>>;

/**
 * Throws garbage at a real gateway for some minutes and checks that each answer is a coded refusal or a coded result,
 * that the process goes on answering, and that its memory stays flat:
 * `node --import ./run.mjs bench/fuzz.main.ts 10 [seed]`.
 */
async function main(): Promise<void> {
  const minutes = Number(process.argv[2] ?? 1);
  const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  console.log(`fuzzing for ${minutes} min with seed ${seed}`);
  await withDatabase(async () => {
    const { client, password, close } = await openGatewayWorld();
    const tokenOf = async () => (await client.signIn('ingrid@northwind.example', password)).token;
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { url: client.url, seed, token: await tokenOf() },
    });
    const heaps: number[] = [];
    const done = once(worker, 'message');
    const until = Date.now() + minutes * 60_000;
    let tokenAt = Date.now();
    while (Date.now() < until) {
      await sleep(Math.min(CHECK_MS, Math.max(0, until - Date.now())));
      if (Date.now() - tokenAt > TOKEN_MS) {
        tokenAt = Date.now();
        worker.postMessage(await tokenOf());
      }
      const { status, data } = await client.post('{ tenant { slug } }', {}, await tokenOf());
      if (status !== 200 || !data) throw new Error(`A right request got ${status}.`);
      heaps.push(heapAfterCollection());
    }
    worker.postMessage('stop');
    const [{ tally, faults }] = (await done) as [{ tally: Tally; faults: string[] }];
    report(tally, faults, heaps);
    await worker.terminate();
    await close();
    process.exitCode = faults.length > 0 || growthOf(heaps) > MAX_GROWTH ? 1 : 0;
  });
  process.exit();
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
/** The last third of the looks against the second one, when everything is warm. */
const growthOf = (heaps: readonly number[]) =>
  mean(heaps.slice(-heaps.length / 3)) - mean(heaps.slice(heaps.length / 3, (heaps.length * 2) / 3));

function report(tally: Tally, faults: string[], heaps: number[]): void {
  let total = 0;
  for (const [kind, outcomes] of Object.entries(tally).sort()) {
    const counts = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
    total += counts.reduce((sum, [, count]) => sum + count, 0);
    console.log(`  ${kind}: ${counts.map(([outcome, count]) => `${outcome} × ${count}`).join(', ')}`);
  }
  const megabytes = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(0));
  console.log(`  ${total} inputs; heap after collection, MB: ${megabytes.join(' ')}`);
  for (const fault of faults) console.log(`  FAULT ${fault}`);
  console.log(faults.length === 0 ? '  no fault' : `  ${faults.length} faults shown`);
}

async function attack(): Promise<void> {
  const { url, seed, token: first } = workerData as { url: string; seed: number; token: string };
  let token = first;
  let isOver = false;
  parentPort?.on('message', (news: string) => {
    if (news === 'stop') isOver = true;
    else token = news;
  });
  const tally: Tally = {};
  const faults: string[] = [];
  const note = (kind: string, outcome: string, fault?: string) => {
    tally[kind] ??= {};
    tally[kind][outcome] = (tally[kind][outcome] ?? 0) + 1;
    if (fault && tally[kind][outcome] <= MAX_SAMPLES) faults.push(`${kind}: ${outcome} ${fault}`);
  };
  const agent = new Agent({ keepAlive: true, maxSockets: LANES * 2 });
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      const draw = drawing(seed + lane);
      while (!isOver) {
        const turn = draw.below(20);
        if (turn === 0) await overSocket(draw, url, token, note);
        else if (turn === 1) await overTcp(draw, url, note);
        else await overHttp(drawInput(draw), url, token, agent, note);
      }
    }),
  );
  agent.destroy();
  parentPort?.postMessage({ tally, faults });
}

type Note = (kind: string, outcome: string, fault?: string) => void;

async function overHttp(input: Input, url: string, token: string, agent: Agent, note: Note): Promise<void> {
  const { kind, method, path, headers, body, pace } = input;
  const outcome = await new Promise<{ status: number; type: string; text: string } | string>((resolve) => {
    const target = new URL(url);
    const asking = httpRequest({
      host: target.hostname,
      port: target.port,
      path,
      method,
      agent,
      headers: { authorization: `Bearer ${token}`, ...safe(headers), ...lengthOf(method, body) },
    });
    const timer = setTimeout(() => {
      resolve('left');
      asking.destroy();
    }, PATIENCE_MS);
    asking.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    asking.on('close', () => {
      clearTimeout(timer);
      resolve('closed');
    });
    asking.on('response', (response) => {
      const chunks: Buffer[] = [];
      const end = () =>
        resolve({
          status: Number(response.statusCode),
          type: String(response.headers['content-type']),
          text: Buffer.concat(chunks).toString('utf8'),
        });
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (/event-stream|multipart/.test(String(response.headers['content-type'])) && chunks.length > 3)
          asking.destroy();
      });
      response.on('end', end);
      response.on('close', end);
      response.on('error', end);
    });
    void write(asking, body ?? Buffer.alloc(0), pace);
  });
  if (typeof outcome === 'string') return note(kind, outcome);
  const { code, fault } = judge(outcome, method === 'HEAD');
  note(
    kind,
    `${outcome.status} ${code}`,
    fault &&
      `${fault}: ${outcome.text.slice(0, 300)} to ${method} ${path.slice(0, 200)} ${body?.toString().slice(0, 600)}`,
  );
}

/** Without it Node's client would send the body of an unusual method as if it were the next request. */
const lengthOf = (method: string, body: Buffer | undefined) =>
  method === 'POST' || !body ? {} : { 'content-length': String(body.length) };

/** Headers Node's client would refuse to send are not what is tried here. */
const safe = (headers: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Buffer.from(value)
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, ''),
    ]),
  );

async function write(asking: ReturnType<typeof httpRequest>, body: Buffer, pace: Input['pace']): Promise<void> {
  if (pace === 'WHOLE') return void asking.end(body);
  for (let at = 0; at < body.length && !asking.destroyed; at += 40) {
    asking.write(body.subarray(at, at + 40));
    await sleep(2);
    if (pace === 'CUT' && at > body.length / 2) return void asking.destroy();
  }
  asking.end();
}

/** What an answer was, and what is wrong with it: anything but a result or a refusal under one of our codes. */
function judge(
  { status, type, text }: { status: number; type: string; text: string },
  isBare: boolean,
): { code: string; fault?: string } {
  if (LEAKS.test(text) && !type.startsWith('text/html')) return { code: 'LEAK', fault: 'It tells what it should not' };
  if (status >= 500 && ![503, 504].includes(status)) return { code: '5xx', fault: 'A status over 499' };
  if (isBare) return { code: 'without body' };
  if (!type.includes('application/json') && !type.includes('graphql-response+json'))
    return { code: type.split(';')[0] ?? '', ...(status >= 400 ? { fault: 'A refusal without code' } : {}) };
  let body: { errors?: { extensions?: { code?: string } }[] };
  try {
    body = JSON.parse(text);
  } catch {
    return { code: 'NO JSON', fault: 'No JSON' };
  }
  const codes = (body.errors ?? []).map(({ extensions }) => String(extensions?.code));
  const strange = codes.find((code) => code === 'INTERNAL' || !(ERROR_CODES as readonly string[]).includes(code));
  if (strange) return { code: strange, fault: 'A code that is none of a refusal' };
  if (status >= 400 && codes.length === 0) return { code: 'NONE', fault: 'No code' };
  return { code: [...new Set(codes)].join('+') || 'ok' };
}

async function overSocket(draw: Draw, url: string, token: string, note: Note): Promise<void> {
  const protocol = draw.oneOf(['graphql-transport-ws', 'graphql-transport-ws', 'graphql-ws', 'x']);
  const socket = new WebSocket(url.replace('http', 'ws'), protocol);
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code) => resolve(`closed ${code}`));
    socket.on('unexpected-response', (_request, response) => resolve(`refused ${response.statusCode}`));
    socket.on('error', () => undefined);
  });
  socket.on('message', (data) => {
    const text = String(data);
    const codes = [...text.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => String(code));
    const strange = codes.find((code) => code === 'INTERNAL');
    if (strange || LEAKS.test(text)) note('messages', strange ?? 'LEAK', text.slice(0, 400));
  });
  socket.on('open', async () => {
    for (const message of drawMessages(draw, token)) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(message);
      await sleep(draw.below(10));
    }
    await sleep(60);
    socket.close(1000);
  });
  const outcome = await Promise.race([closed, sleep(PATIENCE_MS, 'left')]);
  socket.terminate();
  const isOurs = protocol === 'graphql-transport-ws';
  const isBroken = isOurs && /closed (1011|1006|4500)/.test(outcome);
  note(isOurs ? 'messages' : 'other protocols', outcome, isBroken ? 'The socket broke' : undefined);
}

/** What is hardly HTTP, straight on the connection. */
async function overTcp(draw: Draw, url: string, note: Note): Promise<void> {
  const { hostname, port } = new URL(url);
  const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const text = draw.oneOf([
    '\r\n\r\n\r\n',
    'GET\r\n\r\n',
    'GET /graphql HTTP/9.9\r\n\r\n',
    `${head}content-length: -1\r\n\r\n{}`,
    `${head}content-length: 5\r\ncontent-length: 7\r\n\r\n{"a":1}`,
    `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\nffffffffff\r\n`,
    `${head}x: ${'y'.repeat(20_000)}\r\n\r\n`,
    `${head}${'a: b\r\n'.repeat(3_000)}\r\n`,
    `${head}x\0y: z\r\n\r\n`,
    `GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
    `GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    String.fromCharCode(...Array.from({ length: 300 }, () => draw.below(256))),
  ]);
  const outcome = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(text, 'latin1')));
    let answer = '';
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer.slice(9, 12) || 'closed'));
  });
  note('what is hardly HTTP', outcome, /^5/.test(outcome) ? text.slice(0, 200) : undefined);
}

await (isMainThread ? main() : attack());
