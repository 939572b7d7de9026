import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HeaderMap } from '@apollo/server';
import { SpanKind } from '@opentelemetry/api';
import type { GraphQLFormattedError } from 'graphql';
import { ClientError } from '../schema/errors.ts';
import type { GraphRequest } from '../subgraphs/_kernel/subgraph.ts';
import { continueTrace, inSpan, type Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { ApolloDoor, HttpContext } from './apollo-server.ts';
import { ANONYMOUS, bearerOf } from './auth.ts';
import { maskError } from './denials.ts';
import type { Answer, ClientRequest, Graph } from './graph.ts';
import { MAX_BODY } from './limits.ts';
import { answerStreaming, protocolFor } from './subscriptions/http-stream.ts';
import { openSocketDoor } from './subscriptions/websocket.ts';

export interface HttpOptions {
  host: string;
  port: number;
  allowedOrigins: readonly string[];
  /** Also let in pages this server itself serves on this machine: in development, whatever its port. */
  isOwnOriginAllowed: boolean;
  trustsProxy: boolean;
  /** Local developer pages by path; none in production. */
  pages: ReadonlyMap<string, () => Promise<{ type: string; body: string | Buffer }>>;
  log: Logger;
}

export interface HttpDoor {
  port: number;
  stop(): Promise<void>;
}

export const GRAPH_PATH = '/graphql';
const COOKIE = '__Host-isp_rt';
/** How long requests in flight may go on after the last new one was let in, milliseconds. */
const DRAIN_MS = 10_000;

/** Opens the gateway's HTTP and WebSocket doors. Rejects with a sentence when the port is taken. */
export async function openHttpDoor(graph: Graph, apollo: ApolloDoor, options: HttpOptions): Promise<HttpDoor> {
  const { log } = options;
  const addressOf = (request: IncomingMessage) => {
    const hops = String(request.headers['x-forwarded-for'] ?? '').split(',');
    return (options.trustsProxy && hops.at(-1)?.trim()) || (request.socket.remoteAddress ?? '');
  };
  const isAllowed = (origin: string) => {
    if (options.allowedOrigins.includes(origin)) return true;
    const { port } = (server.address() ?? {}) as Partial<AddressInfo>;
    return options.isOwnOriginAllowed && [`http://localhost:${port}`, `http://127.0.0.1:${port}`].includes(origin);
  };
  let isDraining = false;
  const server: Server = createServer((request, response) => {
    route(request, response).catch((error: Error) => {
      if (error instanceof ClientError) return refuse(response, error);
      log.error({ err: error }, 'a request failed');
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { errors: [maskError({ message: '' })] });
    });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  const sockets = openSocketDoor(server, graph, { path: GRAPH_PATH, isAllowed, addressOf });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://gateway');
    if (!url) return refuse(response, new ClientError('BAD_USER_INPUT', 'There is nothing here.'), 404);
    response.setHeader('x-content-type-options', 'nosniff');
    cors(request, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (url.pathname === GRAPH_PATH) {
      const parent = request.headers.traceparent;
      return continueTrace(typeof parent === 'string' ? parent : undefined, () =>
        inSpan('http', { kind: SpanKind.SERVER, attributes: { 'http.request.method': request.method } }, () =>
          answerGraph(request, response, url),
        ),
      );
    }
    if (request.method !== 'GET')
      return refuse(response, new ClientError('BAD_USER_INPUT', 'There is nothing here.'), 404);
    if (url.pathname === '/') return void response.writeHead(302, { location: GRAPH_PATH }).end();
    if (url.pathname === '/health/live') return sendJson(response, 200, { status: 'live' });
    if (url.pathname === '/health/ready') return answerReady(response);
    if (url.pathname === '/.well-known/jwks.json')
      return sendJson(response, 200, await graph.parts.auth.keySet(), { 'cache-control': 'public, max-age=300' });
    const page = options.pages.get(url.pathname);
    if (!page) return refuse(response, new ClientError('BAD_USER_INPUT', 'There is nothing here.'), 404);
    const { type, body } = await page();
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
  }

  async function answerGraph(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (isDraining) response.setHeader('connection', 'close');
    const startedAt = performance.now();
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const isPost = request.method === 'POST';
    const body = isPost ? parseBody(await readBody(request)) : undefined;
    const context: HttpContext = {
      request: { caller: ANONYMOUS, requestId, address: addressOf(request), ...cookieOf(request, isAllowed) },
      reply: {},
    };
    const isPage = !isPost && url.search === '' && String(request.headers.accept).includes('text/html');
    if (!isPage) context.request.caller = await graph.parts.auth.authenticate(bearerOf(request.headers.authorization));
    const protocol = isPost ? protocolFor(request.headers.accept) : undefined;
    if (protocol) {
      const streamed: ClientRequest = { ...(body as GraphRequest), ...context.request };
      return answerStreaming(graph, streamed, protocol, response);
    }
    const headers = new HeaderMap();
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const answer = await apollo.execute(
      { method: request.method ?? 'GET', headers, search: url.search, body },
      context,
    );
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    setCookie(response, context.reply.answer);
    response.statusCode = answer.status ?? 200;
    if (answer.body.kind === 'complete') response.end(answer.body.string);
    else {
      for await (const chunk of answer.body.asyncIterator) response.write(chunk);
      response.end();
    }
    if (!isPage) {
      const operation = (body as { operationName?: unknown } | undefined)?.operationName;
      log.info(
        {
          requestId,
          operation,
          status: response.statusCode,
          tenantId: context.request.caller.tenantId,
          ms: Math.round(performance.now() - startedAt),
        },
        'request',
      );
    }
  }

  async function answerReady(response: ServerResponse): Promise<void> {
    const { auth, licenses, tenants, sources } = graph.parts;
    const parts = Object.fromEntries(
      await Promise.all([...sources].map(async ([name, source]) => [name, await source.isReady()] as const)),
    );
    const copies = { licenses: licenses.isFresh, grants: auth.isFresh, tenants: tenants.isFresh };
    const isReady = !isDraining && [...Object.values(parts), ...Object.values(copies)].every(Boolean);
    sendJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', subgraphs: parts, copies });
  }

  function cors(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    response.setHeader('vary', 'origin');
    if (!origin || !isAllowed(origin)) return;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, apollo-require-preflight');
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-max-age', '600');
  }

  server.listen(options.port, options.host);
  await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => Promise.reject(error))]);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      isDraining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await sockets.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(timer);
      await apollo.stop();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  if (!/^application\/(graphql\+)?json\b/.test(String(request.headers['content-type'])))
    throw new ClientError('BAD_USER_INPUT', 'A request is sent as application/json.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY)
      throw new ClientError('OPERATION_LIMIT', `A request has at most ${MAX_BODY / 1024} kB.`, { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ClientError('BAD_USER_INPUT', 'The request is no JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ClientError('BAD_USER_INPUT', 'A request is one JSON object.');
  return body;
}

/** The refresh cookie counts only when the request comes from one of our own portals. */
function cookieOf(request: IncomingMessage, isAllowed: (origin: string) => boolean): { refreshCookie?: string } {
  const { origin, cookie } = request.headers;
  if (!origin || !isAllowed(origin)) return {};
  const value = cookie
    ?.split(/;\s*/)
    .find((part) => part.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
  return value ? { refreshCookie: value } : {};
}

function setCookie(response: ServerResponse, answer: Answer | undefined): void {
  if (answer?.refreshCookie === undefined) return;
  const { value, maxAgeSeconds } = answer.refreshCookie ?? { value: '', maxAgeSeconds: 0 };
  response.setHeader(
    'set-cookie',
    `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; Secure; SameSite=Strict`,
  );
}

const STATUS: Record<string, number> = {
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  SUBGRAPH_UNAVAILABLE: 503,
  SUBGRAPH_TIMEOUT: 504,
};

function refuse(response: ServerResponse, error: ClientError, status?: number): void {
  const { status: asked, ...extensions } = error.extensions;
  response.setHeader('connection', 'close'); // what is left of the request is not read
  sendJson(response, status ?? Number(asked ?? STATUS[error.code] ?? 400), {
    errors: [{ message: error.message, extensions } satisfies GraphQLFormattedError],
  });
}

function sendJson(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
