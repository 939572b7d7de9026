import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { ClientError, unauthenticated } from '../schema/errors.ts';
import { keyIn } from '../subgraphs/_kernel/api-key.ts';
import { stopOf } from '../subgraphs/_kernel/http-stop.ts';
import { leaving } from '../subgraphs/_kernel/leaving.ts';
import { continueTrace, inSpan, type Logger } from '../subgraphs/_kernel/telemetry.ts';
import { type ApolloDoor, answerByApollo, type HttpContext } from './apollo-server.ts';
import { ANONYMOUS } from './auth.ts';
import type { BrandImages } from './brand-images.ts';
import { maskError } from './denials.ts';
import { type Files, receiveFile, sendFile } from './files.ts';
import type { Answer, Graph } from './graph.ts';
import { answerType, readGraphRequest, refuse, sendAnswer, sendDocument, sendJson } from './graph-over-http.ts';
import type { Page } from './graphiql.ts';
import type { PublicDocuments } from './license-documents.ts';
import { CALLBACK_PATH, type ReturnFrom } from './oauth-return.ts';
import { answerStreaming, protocolFor } from './subscriptions/http-stream.ts';
import { STREAM_LIMITS, type StreamLimits } from './subscriptions/stream-limits.ts';
import { Streams } from './subscriptions/streams.ts';
import { openSocketDoor } from './subscriptions/websocket.ts';

export interface HttpOptions {
  host: string;
  port: number;
  allowedOrigins: readonly string[];
  /** Also let in pages this server itself serves on this machine: in development, whatever its port. */
  isOwnOriginAllowed: boolean;
  trustsProxy: boolean;
  /** Headers of clients that foreign subgraphs get, in lower case. */
  forwardedHeaders: readonly string[];
  /** How long `/health/ready` says that this is going to end before anything else does, milliseconds. */
  drainDelayMs?: number;
  /** How many sockets and streams may be open; by default the named limits. */
  streamLimits?: StreamLimits;
  /** What everybody may read beside the graph, by path. */
  documents?: PublicDocuments;
  /** Takes somebody back from another provider; see `oauth-return.ts`. */
  returnFrom?: ReturnFrom;
  /** Where files are read, and put, that links lead to. */
  files?: Files;
  /** Serves the pictures of tenants' looks. */
  images?: BrandImages;
  /** Local developer pages by path; none in production. */
  pages: ReadonlyMap<string, Page>;
  log: Logger;
}

export interface HttpDoor {
  port: number;
  stop(): Promise<void>;
}

export const GRAPH_PATH = '/graphql';
const FILES = '/files/';
const COOKIE = '__Host-isp_rt';
/** Longer than proxies and clients keep an idle connection, or they would send on one that is just being closed, milliseconds. */
const KEEP_ALIVE_MS = 75_000;
/** How much of what a client says of itself is kept, characters. */
const AGENT_LENGTH = 200;

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
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const stop = stopOf(server);
  const streams = new Streams(graph, options.streamLimits ?? STREAM_LIMITS);
  const sockets = openSocketDoor(server, streams, { path: GRAPH_PATH, isAllowed, addressOf });

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    response.setHeader('x-content-type-options', 'nosniff');
    cors(request, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    const leaked = keyIn(request.url ?? '');
    if (leaked) {
      await graph.parts.auth.reportLeak(leaked);
      throw unauthenticated();
    }
    if (isPageWanted(request) && (await leadOn(request, response))) return;
    if (path === GRAPH_PATH) {
      const parent = request.headers.traceparent;
      return continueTrace(typeof parent === 'string' ? parent : undefined, () =>
        inSpan('http', { kind: SpanKind.SERVER, attributes: { 'http.request.method': request.method } }, () =>
          answerGraph(request, response),
        ),
      );
    }
    if (request.method === 'PUT' && path?.startsWith(FILES) && options.files)
      return receiveFile(options.files, path.slice(FILES.length), request, response);
    if (request.method !== 'GET')
      return refuse(response, new ClientError('BAD_USER_INPUT', 'There is nothing here.'), 404);
    if (path === '/') return void response.writeHead(302, { location: GRAPH_PATH }).end();
    if (path === '/health/live') return sendJson(response, 200, { status: 'live' });
    if (path === '/health/ready') return answerReady(response);
    if (path === '/.well-known/jwks.json')
      return sendJson(response, 200, await graph.parts.auth.keySet(), { 'cache-control': 'public, max-age=300' });
    if (path?.startsWith(CALLBACK_PATH) && options.returnFrom)
      return answerReturn(request, response, options.returnFrom);
    if (path?.startsWith(FILES) && options.files) return sendFile(options.files, path.slice(FILES.length), response);
    const document = options.documents?.get(path ?? '');
    if (document) return sendDocument(request, response, await document());
    if (await options.images?.(path ?? '', response)) return;
    const page = options.pages.get(path ?? '');
    if (!page) return refuse(response, new ClientError('BAD_USER_INPUT', 'There is nothing here.'), 404);
    const { type, body, headers } = await page();
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', ...headers }).end(body);
  }

  async function answerGraph(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isDraining) response.setHeader('connection', 'close');
    const startedAt = performance.now();
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const isPost = request.method === 'POST';
    const body = isPost ? await readGraphRequest(request) : undefined;
    const asked: HttpContext['request'] = {
      caller: ANONYMOUS,
      requestId,
      address: addressOf(request),
      signal: leaving(response),
    };
    const { origin } = request.headers;
    if (origin && isAllowed(origin)) asked.origin = origin;
    const agent = request.headers['user-agent'];
    if (agent) asked.agent = agent.slice(0, AGENT_LENGTH);
    const refreshCookie = cookieOf(request, isAllowed);
    if (refreshCookie) asked.refreshCookie = refreshCookie;
    if (options.forwardedHeaders.length > 0) asked.forwarded = pick(request, options.forwardedHeaders);
    const isPage = isPageWanted(request);
    if (!isPage) asked.caller = await graph.parts.auth.authenticate(request.headers.authorization, asked.address);
    await graph.parts.hosts?.check(request.headers.host, asked.caller);
    if (!body) await answerByApollo(apollo, request, response, { request: asked, reply: {} });
    else {
      const whole = Object.assign(asked, body);
      const protocol = protocolFor(request.headers.accept);
      if (protocol) return answerStreaming(streams, whole, protocol, response);
      const answer = await graph.execute(whole);
      setCookie(response, answer);
      sendAnswer(response, answer, answerType(request));
    }
    if (isPage) return;
    log.info(
      {
        requestId,
        operation: loggedName(body?.operationName),
        status: response.statusCode,
        tenantId: asked.caller.tenantId,
        ...(asked.caller.actingFor ? { userId: asked.caller.userId, actingFor: asked.caller.actingFor.operator } : {}),
        ms: Math.round(performance.now() - startedAt),
      },
      'request',
    );
  }

  /** Sends whoever wants a page to where the pages of this host are now; false where they are here. Nobody keeps that. */
  async function leadOn({ headers, url = '' }: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const origin = await graph.parts.hosts?.leadsTo(headers.host);
    if (!origin) return false;
    const path = url.startsWith('/') ? url : '/';
    response.writeHead(308, { location: `${origin}${path}`, 'cache-control': 'no-store' }).end();
    return true;
  }

  async function answerReturn(request: IncomingMessage, response: ServerResponse, back: ReturnFrom): Promise<void> {
    await graph.parts.rates?.takeReturn(addressOf(request));
    const location = await back(request.url ?? '');
    // Whatever is in these addresses is nobody else's to see.
    response.writeHead(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).end();
  }

  async function answerReady(response: ServerResponse): Promise<void> {
    const { auth, licenses, tenants, sources } = graph.parts;
    const parts = Object.fromEntries(
      await Promise.all([...sources].map(async ([name, source]) => [name, await source.isReady()] as const)),
    );
    const copies = { licenses: licenses.isFresh, grants: auth.isFresh, tenants: tenants.isFresh };
    const isReady = !isDraining && Object.values(copies).every(Boolean);
    // A subgraph that is away is away for every gateway, and costs its own fields only: none of them is better off without this one.
    const isWhole = Object.values(parts).every(Boolean);
    const status = isReady ? (isWhole ? 'ready' : 'degraded') : 'not ready';
    sendJson(response, isReady ? 200 : 503, { status, subgraphs: parts, copies });
  }

  function cors(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    response.setHeader('vary', 'origin');
    if (!origin || !isAllowed(origin)) return;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, apollo-require-preflight');
    response.setHeader('access-control-allow-methods', 'GET, POST, PUT');
    response.setHeader('access-control-max-age', '600');
  }

  server.listen(options.port, options.host);
  await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => Promise.reject(error))]);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      isDraining = true;
      if (options.drainDelayMs) await sleep(options.drainDelayMs);
      const stopped = stop();
      streams.close();
      sockets.close();
      await stopped;
      await apollo.stop();
    },
  };
}

/** What a client calls its operation, as far as a log line has room for it. */
const loggedName = (name: unknown) => (typeof name === 'string' ? name.slice(0, 100) : undefined);

/** The refresh cookie counts only when the request comes from one of our own portals. */
function cookieOf(request: IncomingMessage, isAllowed: (origin: string) => boolean): string | undefined {
  const { origin, cookie } = request.headers;
  if (!origin || !cookie || !isAllowed(origin)) return undefined;
  return cookie
    .split(/;\s*/)
    .find((part) => part.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
}

/** The named headers of a request that are there: names and values in turn. */
function pick({ headers }: IncomingMessage, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [name, String(value)];
  });
}

/** What people's browsers get at these is no page of ours, whatever they would take. */
const NO_PAGES = [`${GRAPH_PATH}?`, CALLBACK_PATH, FILES, '/brand/', '/.well-known/', '/health/'];

const isPageWanted = ({ method, url = '', headers }: IncomingMessage) =>
  method === 'GET' && String(headers.accept).includes('text/html') && !NO_PAGES.some((door) => url.startsWith(door));

function setCookie(response: ServerResponse, answer: Answer): void {
  if (answer.refreshCookie === undefined) return;
  const { value, maxAgeSeconds } = answer.refreshCookie ?? { value: '', maxAgeSeconds: 0 };
  response.setHeader(
    'set-cookie',
    `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; Secure; SameSite=Strict`,
  );
}
