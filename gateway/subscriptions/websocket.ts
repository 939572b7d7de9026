import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { type ExecutionArgs, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import { useServer as serveProtocol } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { interruptible } from '../../subgraphs/_kernel/interruptible.ts';
import { type Authenticator, bearerOf, type Caller } from '../auth.ts';
import type { Answer, ClientRequest, Graph } from '../graph.ts';
import { MAX_MESSAGE } from '../limits.ts';
import { openStream } from './streams.ts';

/** Streams one socket may hold. */
const MAX_STREAMS = 100;
/** How long a client may take to say who it is, milliseconds. */
const INIT_MS = 5_000;
const PING_MS = 15_000;

type Extra = {
  request: IncomingMessage;
  socket: { close(code: number, reason: string): void };
  caller?: Caller;
  streams?: number;
  timer?: NodeJS.Timeout;
};

export interface SocketDoor {
  /** Closes every socket with 1001 after its streams have ended. */
  close(): Promise<void>;
}

/** The `graphql-transport-ws` door, at the path of the graph: queries and mutations too, under the same rules as HTTP. */
export function openSocketDoor(
  server: Server,
  graph: Graph,
  options: { path: string; isAllowed: (origin: string) => boolean; addressOf: (request: IncomingMessage) => string },
): SocketDoor {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    const { origin } = request.headers;
    if (request.url?.split('?')[0] !== options.path)
      return void socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
    if (origin && !options.isAllowed(origin))
      return void socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });

  const door = serveProtocol<Record<string, unknown>, Extra>(
    {
      isProd: true, // no reason ever tells what broke inside
      connectionInitWaitTimeout: INIT_MS,
      onConnect: async ({ connectionParams, extra }) => {
        try {
          extra.caller = await graph.parts.auth.authenticate(
            bearerOf(textOf(connectionParams?.authorization ?? connectionParams?.Authorization)),
          );
          extra.streams = 0;
          endWithToken(extra);
          return true;
        } catch {
          return false; // 4403: wrong credentials, without a word more
        }
      },
      onDisconnect: ({ extra }) => clearTimeout(extra.timer),
      onPing: async ({ extra }, payload) => {
        const token = textOf(payload?.authorization);
        if (token && extra.caller) await prolong(graph.parts.auth, extra.caller, token).catch(() => undefined);
      },
      onSubscribe: ({ extra }, _id, payload) => {
        const request = toRequest(payload as never, extra, options.addressOf);
        try {
          const operation = graph.prepare(request);
          if (operation.kind === 'subscription' && (extra.streams ?? 0) >= MAX_STREAMS)
            throw new GraphQLError(`A socket holds at most ${MAX_STREAMS} streams.`, {
              extensions: { code: 'RATE_LIMITED' },
            });
          return {
            schema: graph.supergraph.schema,
            document: operation.document,
            operationName: payload.operationName,
            contextValue: { request, extra },
          };
        } catch (error) {
          return graph.errorsOf(error).map(toError);
        }
      },
      execute: async (args) => toResult(await graph.execute(contextOf(args).request)) as never,
      subscribe: async (args) => {
        const { request, extra } = contextOf(args);
        const opened = await openStream(graph, request);
        if (!(Symbol.asyncIterator in opened)) return toResult(opened) as never;
        extra.streams = (extra.streams ?? 0) + 1;
        const closed = () => {
          extra.streams = (extra.streams ?? 1) - 1;
        };
        return interruptible(results(opened, closed), () => void opened.return(undefined)) as never;
      },
      onError: (_ctx, _id, _payload, errors) =>
        errors.map((error) => ('toJSON' in error ? error.toJSON() : error)) as GraphQLFormattedError[],
    },
    sockets,
    PING_MS,
  );
  // The library prints what a client did wrong; a message over the limit is the client's affair and already closes with 1009.
  sockets.on('connection', (socket) => socket.removeAllListeners('error').on('error', () => socket.terminate()));
  return {
    close: async () => {
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      await door.dispose();
      sockets.close();
    },
  };
}

const contextOf = (args: ExecutionArgs) => args.contextValue as { request: ClientRequest; extra: Extra };
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
const toError = (error: GraphQLFormattedError) =>
  new GraphQLError(error.message, { path: error.path, extensions: error.extensions });
const toResult = ({ data, errors }: Answer) => ({
  ...(data === undefined ? {} : { data }),
  ...(errors ? { errors: errors.map(toError) } : {}),
});

function toRequest(
  payload: { query?: unknown; variables?: unknown; operationName?: unknown },
  extra: Extra,
  addressOf: (request: IncomingMessage) => string,
): ClientRequest {
  return {
    query: payload.query as string,
    variables: payload.variables as Record<string, unknown> | undefined,
    operationName: textOf(payload.operationName),
    caller: extra.caller as Caller,
    requestId: randomUUID(),
    address: addressOf(extra.request),
  };
}

async function* results(answers: AsyncGenerator<Answer>, ended: () => void) {
  try {
    for await (const answer of answers) yield toResult(answer);
  } finally {
    ended();
  }
}

/** A socket lives as long as its token; its streams say why they end, then it closes. */
function endWithToken(extra: Extra): void {
  const left = (extra.caller?.expiresAt ?? 0) - Date.now();
  if (!Number.isFinite(left)) return;
  extra.timer = setTimeout(
    () => {
      if ((extra.caller?.expiresAt ?? 0) > Date.now()) return endWithToken(extra);
      setTimeout(() => extra.socket.close(CloseCode.Forbidden, 'Token expired'), 100).unref();
    },
    Math.max(0, left),
  ).unref();
}

/** A fresh token of the same user and membership prolongs a socket. */
async function prolong(auth: Authenticator, caller: Caller, token: string): Promise<void> {
  const fresh = await auth.authenticate(bearerOf(token));
  if (
    fresh.userId === caller.userId &&
    fresh.membershipId === caller.membershipId &&
    fresh.expiresAt > caller.expiresAt
  ) {
    caller.expiresAt = fresh.expiresAt;
    caller.sessionId = fresh.sessionId;
  }
}
