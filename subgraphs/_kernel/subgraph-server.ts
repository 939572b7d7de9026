import { once as onceEvent } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClientError } from '../../schema/errors.ts';
import { stopOf } from './http-stop.ts';
import { leaving } from './leaving.ts';
import type { GraphResult, RunningSubgraph } from './subgraph.ts';

/** Largest body a gateway sends, bytes: a thousand representations with what they require. */
const MAX_BODY = 4 * 1024 * 1024;
/** So much of a larger one is read in order to answer it; then the connection is cut. */
const MAX_READ = 4 * MAX_BODY;
/** A comment that keeps an idle stream open and finds out that its reader is gone, milliseconds. */
const HEARTBEAT_MS = 10_000;

/** The responses of open streams. */
type Streams = Set<ServerResponse>;

export interface SubgraphServer {
  url: string;
  stop(): Promise<void>;
}

/** Serves one subgraph over HTTP to gateways: JSON for operations, distinct SSE connections for subscriptions. */
export async function serveOverHttp(
  running: RunningSubgraph,
  at: { host: string; port: number },
): Promise<SubgraphServer> {
  const streams: Streams = new Set();
  const server: Server = createServer((request, response) => {
    answer(running, request, response, streams).catch((error: Error) => {
      running.machinery.log.error({ err: error }, 'a request failed');
      if (!response.headersSent)
        sendJson(response, 500, {
          errors: [{ message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL' } }],
        });
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 65_000;
  const stop = stopOf(server);
  server.listen(at.port, at.host);
  await onceEvent(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${at.host}:${port}/graphql`,
    async stop() {
      const stopped = stop();
      for (const response of streams) response.end();
      await stopped;
    },
  };
}

async function answer(
  running: RunningSubgraph,
  request: IncomingMessage,
  response: ServerResponse,
  streams: Streams,
): Promise<void> {
  const path = request.url?.split('?')[0];
  if (request.method === 'GET' && path === '/health/live') return sendJson(response, 200, { status: 'live' });
  if (request.method === 'GET' && path === '/health/ready')
    return sendJson(response, (await running.isReady()) ? 200 : 503, { subgraph: running.name });
  if (request.method !== 'POST' || path !== '/graphql')
    return sendJson(response, 404, refusal(new ClientError('BAD_USER_INPUT', 'There is nothing here.')));
  const body = await readBody(request);
  if (body === undefined)
    return sendJson(response, 413, refusal(new ClientError('OPERATION_LIMIT', 'The request is too large.')));
  const envelope = request.headers['isp-envelope'];
  const token = typeof envelope === 'string' ? envelope : undefined;
  try {
    if (request.headers.accept?.includes('text/event-stream'))
      return await stream(running, body, token, response, streams);
    sendJson(response, 200, await running.execute(body, token, leaving(response)));
  } catch (error) {
    if (error instanceof ClientError)
      return sendJson(response, error.code === 'UNAUTHENTICATED' ? 401 : 400, refusal(error));
    if (error instanceof SyntaxError)
      return sendJson(response, 400, refusal(new ClientError('BAD_USER_INPUT', 'The request is no JSON.')));
    throw error;
  }
}

async function stream(
  running: RunningSubgraph,
  body: string,
  token: string | undefined,
  response: ServerResponse,
  streams: Streams,
): Promise<void> {
  const events = await running.subscribe(body, token);
  if (!(Symbol.asyncIterator in events)) return sendJson(response, 200, events);
  if (response.destroyed) return void (await events.return(undefined)); // the reader left before it began
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(':\n\n');
  const beat = setInterval(() => response.writableEnded || response.write(':\n\n'), HEARTBEAT_MS);
  streams.add(response);
  response.on('close', () => {
    clearInterval(beat);
    streams.delete(response);
    void events.return(undefined);
  });
  for await (const event of events) {
    if (response.writableEnded) break;
    response.write(`event: next\ndata: ${JSON.stringify(event)}\n\n`);
    if (response.writableNeedDrain && !response.destroyed) await drained(response);
  }
  if (!response.writableEnded) response.end('event: complete\ndata:\n\n');
}

/** Resolves when more may be written, or nothing ever again. */
async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([onceEvent(response, 'drain', { signal }), onceEvent(response, 'close', { signal })]).finally(() =>
    settled.abort(),
  );
}

/** The text of the body, or undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
    if (size > MAX_READ) request.destroy();
  }
  return size > MAX_BODY ? undefined : Buffer.concat(chunks).toString('utf8');
}

function refusal(error: ClientError): GraphResult {
  return { errors: [{ message: error.message, extensions: error.extensions }] };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
