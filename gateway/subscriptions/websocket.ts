import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import { useServer as serveProtocol } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { ClientError } from '../../schema/errors.ts';
import { interruptible } from '../../subgraphs/_kernel/interruptible.ts';
import { type Authenticator, bearerOf, type Caller } from '../auth.ts';
import type { Answer, ClientRequest, Graph } from '../graph.ts';
import { MAX_MESSAGE } from '../limits.ts';
import { openStream } from './streams.ts';

/** Streams one socket may hold. */
const MAX_STREAMS = 100;
/** Queries and mutations of one socket that may run at once. */
const MAX_RUNNING = 50;
/** What a client may leave unread before its socket is ended, bytes. */
const MAX_UNREAD = 16 * 1024 * 1024;
/** How long a client may take to say who it is, milliseconds. */
const INIT_MS = 5_000;
const PING_MS = 15_000;

type Extra = {
  request: IncomingMessage;
  socket: { close(code: number, reason: string): void };
  caller?: Caller;
  /** Streams open or being opened. */
  streams?: number;
  /** Queries and mutations that run. */
  running?: number;
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
    if (request.url?.split('?')[0] !== options.path) return turnAway(socket, 404);
    if (origin && !options.isAllowed(origin)) return turnAway(socket, 403);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const send = opened.send.bind(opened);
      // What can no longer be sent has its socket's end to say so; the library would print a stack for each message.
      opened.send = ((data: string, sent?: () => void) => send(data, () => sent?.())) as typeof opened.send;
      sockets.emit('connection', opened, request);
    });
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
          takePlace(extra, operation.kind === 'subscription');
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
      execute: async (args) => {
        const { request, extra } = contextOf(args);
        const answer = await graph.execute(request);
        extra.running = (extra.running ?? 1) - 1;
        return toResult(answer) as never;
      },
      subscribe: async (args) => {
        const { request, extra } = contextOf(args);
        const opened = await openStream(graph, request);
        const closed = () => {
          extra.streams = (extra.streams ?? 1) - 1;
        };
        if (Symbol.asyncIterator in opened) return results(opened, closed) as never;
        closed();
        return toResult(opened) as never;
      },
      onError: (_ctx, _id, _payload, errors) =>
        errors.map((error) => ('toJSON' in error ? error.toJSON() : error)) as GraphQLFormattedError[],
    },
    sockets,
    PING_MS,
  );
  // The library prints what a client did wrong; a message over the limit is the client's affair and already closes with 1009.
  sockets.on('connection', (socket) => {
    socket.removeAllListeners('error').on('error', () => socket.terminate());
    socket.on('message', () => socket.bufferedAmount > MAX_UNREAD && socket.terminate()); // it asks and never reads
  });
  return {
    close: async () => {
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      await door.dispose();
      sockets.close();
    },
  };
}

/** Answers an upgrade that is refused. From here on the socket is ours, and what goes wrong on it, too. */
function turnAway(socket: Duplex, status: 403 | 404): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n\r\n`, () => socket.destroy());
}

/** Counts an operation before it starts; asked at once, many would otherwise all find room. Throws RATE_LIMITED. */
function takePlace(extra: Extra, isStream: boolean): void {
  const { streams = 0, running = 0 } = extra;
  if (isStream && streams >= MAX_STREAMS)
    throw new ClientError('RATE_LIMITED', `A socket holds at most ${MAX_STREAMS} streams.`);
  if (!isStream && running >= MAX_RUNNING)
    throw new ClientError('RATE_LIMITED', `A socket runs at most ${MAX_RUNNING} operations at once.`);
  if (isStream) extra.streams = streams + 1;
  else extra.running = running + 1;
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

/** Answers as the protocol's library sends them. `ended` is called once, also when nobody ever asked for the first one. */
function results(answers: AsyncGenerator<Answer>, ended: () => void): AsyncGenerator<ReturnType<typeof toResult>> {
  let isOver = false;
  const end = () => {
    if (!isOver) ended();
    isOver = true;
  };
  async function* read() {
    try {
      for await (const answer of answers) yield toResult(answer);
    } finally {
      end();
    }
  }
  return interruptible(read(), () => {
    end();
    void answers.return(undefined);
  });
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

/** A fresh token of the same session and membership prolongs a socket. */
async function prolong(auth: Authenticator, caller: Caller, token: string): Promise<void> {
  const fresh = await auth.authenticate(bearerOf(token));
  const isSame = fresh.sessionId === caller.sessionId && fresh.membershipId === caller.membershipId;
  if (isSame && fresh.expiresAt > caller.expiresAt) caller.expiresAt = fresh.expiresAt;
}
