import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type ExecutionArgs, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { CloseCode, makeServer } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { ClientError } from '../../schema/errors.ts';
import { type Authenticator, type Caller, principalOf } from '../auth.ts';
import { type Answer, type ClientRequest, dataOf } from '../graph.ts';
import { standingOf } from '../standing.ts';
import { oneAnswer } from './one-answer.ts';
import type { Wire } from './outbox.ts';
import type { Framing, Payload } from './payload.ts';
import { Reader } from './reader.ts';
import { acceptSockets, type SocketOptions, textFrame } from './sockets.ts';
import { Places, type StreamLimits, tooMany } from './stream-limits.ts';
import type { Streams } from './streams.ts';

/** How long a client may take to say who it is, milliseconds. */
const INIT_MS = 5_000;
/** How often sockets whose token has ended are looked for, milliseconds. */
const TICK_MS = 250;
/** A socket outlives its token so long: its streams say why they end, milliseconds. */
const GRACE_MS = 500;
/** A client that does not read may still take the reason, milliseconds. */
const CUT_MS = 1_000;
/** RFC 6455's registry: try again later. The protocol has no code for a reader that is too slow, and clients come back on it. */
const TRY_AGAIN_LATER = 1013;
const FAILED = 4500;

type Extra = {
  readonly socket: WebSocket;
  readonly net: Socket;
  readonly address: string;
  readonly ticket: string | undefined;
  /** Under which name it came. */
  readonly host: string | undefined;
  caller?: Caller;
  /** It was opened while its tenant was suspended, by somebody who still may. */
  isOfSuspended?: boolean;
  /** Gives back the user's place. */
  leave?: () => void;
  /** Hears no more of what becomes of the caller. */
  forget?: () => void;
  /** Streams open or being opened. */
  streams: number;
  /** Queries and mutations that run. */
  running: number;
};

export interface SocketDoor {
  /** Closes every socket with 1001. */
  close(): void;
}

/** The `graphql-transport-ws` door, at the path of the graph: queries and mutations too, under the same rules as HTTP. */
export function openSocketDoor(
  server: Server,
  streams: Streams,
  options: Pick<SocketOptions, 'path' | 'isAllowed' | 'addressOf'>,
): SocketDoor {
  const { graph, limits } = streams;
  const { auth, log } = graph.parts;
  const perUser = new Places(limits.socketsPerUser);
  const signedIn = new Set<Extra>();

  /** Whether its tenant was suspended since it was opened. */
  const isShutNow = (extra: Extra) => {
    const tenantId = extra.caller?.tenantId;
    const isBlocked = tenantId ? graph.parts.tenants.held(tenantId)?.accessMode === 'BLOCKED' : false;
    if (!isBlocked) extra.isOfSuspended = false;
    return isBlocked && !extra.isOfSuspended;
  };

  /** Whoever was stopped meanwhile has no socket any more; when their streams have said why, it closes. */
  const recheck = async (extra: Extra) => {
    const { caller, socket } = extra;
    const isStopped = caller && (await auth.renew(caller).then(() => false, isUnauthenticated));
    if (isStopped) setTimeout(() => socket.close(CloseCode.Forbidden, 'Signed out'), GRACE_MS).unref();
  };

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_MS,
    onConnect: async (context) => {
      const { extra, connectionParams } = context;
      Object.assign(context, { connectionParams: undefined }); // a token is not kept longer than it is needed
      try {
        const said = textOf(connectionParams?.authorization ?? connectionParams?.Authorization);
        extra.caller =
          said === undefined && extra.ticket
            ? await auth.redeem(extra.ticket)
            : await auth.authenticate(said, extra.address);
        await graph.parts.hosts?.check(extra.host, extra.caller);
      } catch {
        return false; // 4403: wrong credentials, without a word more
      }
      const standing = await standingOf(graph.parts, extra.caller).catch(() => undefined); // operations are told what is wrong
      if (standing?.suspended === 'SHUT') return false;
      extra.isOfSuspended = standing?.suspended !== undefined;
      if (extra.socket.readyState !== extra.socket.OPEN) return false;
      const principal = principalOf(extra.caller);
      extra.leave = principal ? perUser.take(principal) : undefined;
      if (principal && !extra.leave) {
        extra.socket.close(CloseCode.TooManyInitialisationRequests, 'Too many sockets');
        return false;
      }
      signedIn.add(extra);
      extra.forget = auth.onChange(extra.caller, () => void recheck(extra));
      if (!auth.isAsBefore(extra.caller)) void recheck(extra);
      return true;
    },
    onPing: async ({ extra }, payload) => {
      const token = textOf(payload?.authorization);
      if (token && extra.caller) await prolong(auth, extra.caller, token, extra.address).catch(() => undefined);
    },
    onSubscribe: ({ extra }, id, payload) => {
      const request = toRequest(payload as never, extra);
      try {
        const operation = graph.prepare(request);
        takePlace(extra, operation.kind === 'subscription', limits);
        return {
          schema: graph.supergraph.schema,
          document: operation.document,
          operationName: payload.operationName,
          contextValue: { request, extra, id },
        };
      } catch (error) {
        return graph.refusals.errorsOf(error).map(toError);
      }
    },
    execute: (args) => {
      const { request, extra } = contextOf(args);
      return oneAnswer(async (signal) => {
        const answer = await graph.execute({ ...request, signal });
        extra.running -= 1;
        return toResult(answer);
      }) as never;
    },
    subscribe: async (args) => {
      const { request, extra, id } = contextOf(args);
      const wire = new SocketWire(extra, id);
      const opened = await streams.open(request, wire);
      const leave = () => {
        extra.streams -= 1;
      };
      if (opened instanceof Reader && !opened.isOver) opened.onOver = leave;
      else leave();
      return (opened instanceof Reader ? completionOf(opened, wire) : toResult(opened)) as never;
    },
    onError: (_ctx, _id, _payload, errors) =>
      errors.map((error) => ('toJSON' in error ? error.toJSON() : error)) as GraphQLFormattedError[],
  });

  const accepted = acceptSockets(server, {
    ...options,
    perAddress: limits.socketsPerAddress,
    onOpen(socket, net, address, ticket, host) {
      const extra: Extra = { socket, net, address, ticket, host, streams: 0, running: 0 };
      net.setMaxListeners(0); // each stream that waits listens for room
      const closed = protocol.opened(
        {
          protocol: socket.protocol,
          send: (text) => socket.send(text, ignore), // what can no longer be sent has its socket's end to say so
          close: (code, reason) => socket.close(code, reason),
          onMessage: (hear) =>
            socket.on('message', (data) => {
              hear(String(data)).catch((error: Error) => {
                if (!/^(Unexpected message|Invalid message)/.test(error.message))
                  log.error({ err: error }, 'a message on a socket failed');
                socket.close(FAILED, 'Something went wrong on our side');
              });
            }),
        },
        extra,
      );
      socket.once('close', (code, reason) => {
        signedIn.delete(extra);
        extra.leave?.();
        extra.forget?.();
        void closed(code, String(reason));
      });
    },
  });
  const timer = setInterval(() => {
    const now = Date.now();
    for (const extra of signedIn) {
      if ((extra.caller?.expiresAt ?? 0) + GRACE_MS <= now) extra.socket.close(CloseCode.Forbidden, 'Token expired');
      else if (isShutNow(extra)) extra.socket.close(CloseCode.Forbidden, 'Organisation suspended');
    }
  }, TICK_MS).unref();
  return {
    close() {
      clearInterval(timer);
      accepted.close();
    },
  };
}

const isUnauthenticated = (error: unknown) => error instanceof ClientError && error.code === 'UNAUTHENTICATED';

/** Counts an operation before it starts; asked at once, many would otherwise all find room. Throws RATE_LIMITED. */
function takePlace(extra: Extra, isStream: boolean, { streamsPerSocket, runningPerSocket }: StreamLimits): void {
  if (isStream && extra.streams >= streamsPerSocket)
    throw tooMany(`A socket holds at most ${streamsPerSocket} streams.`);
  if (!isStream && extra.running >= runningPerSocket)
    throw tooMany(`A socket runs at most ${runningPerSocket} operations at once.`);
  if (isStream) extra.streams += 1;
  else extra.running += 1;
}

const AS_IT_IS: Framing = (_answer, text) => text;

/** A stream among others on a socket. Its frames are the shared text in an envelope of their own. */
class SocketWire implements Wire {
  readonly door = 'websocket';
  /** Resolves when nothing comes any more. */
  readonly ended: Promise<void>;
  private finish: () => void = ignore;
  private readonly extra: Extra;
  private readonly id: string;

  constructor(extra: Extra, id: string) {
    this.extra = extra;
    this.id = id;
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  isReady(): boolean {
    return !this.extra.net.writableNeedDrain;
  }

  whenReady(call: () => void): void {
    this.extra.net.once('drain', call);
  }

  write(payload: Payload): void {
    const { socket, net } = this.extra;
    // Written whole: the library would hand over header and text apart, which costs a third more for each reader.
    if (socket.readyState === socket.OPEN)
      net.write(textFrame(`{"id":${JSON.stringify(this.id)},"type":"next","payload":`, payload.frame(AS_IT_IS), '}'));
  }

  end(last?: Payload): void {
    if (last) this.write(last);
    this.finish();
  }

  cut(): void {
    const { socket } = this.extra;
    socket.close(TRY_AGAIN_LATER, 'You do not read');
    setTimeout(() => socket.terminate(), CUT_MS).unref();
  }
}

/** What the protocol's library follows of a stream: its end. The events go past it, in the bytes they share. */
function completionOf(reader: Reader, wire: SocketWire): AsyncGenerator<never> {
  const done = { done: true, value: undefined } as const;
  const leave = async () => {
    reader.leave();
    wire.end();
    return done;
  };
  return {
    async next() {
      reader.begin();
      await wire.ended;
      return done;
    },
    return: leave,
    throw: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await leave();
    },
  };
}

const ignore = (): void => undefined;
const contextOf = (args: ExecutionArgs) => args.contextValue as { request: ClientRequest; extra: Extra; id: string };
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
const toError = (error: GraphQLFormattedError) =>
  new GraphQLError(error.message, { path: error.path, extensions: error.extensions });

function toResult(answer: Answer) {
  const data = dataOf(answer);
  return {
    ...(data === undefined ? {} : { data }),
    ...(answer.errors ? { errors: answer.errors.map(toError) } : {}),
    ...(answer.extensions ? { extensions: answer.extensions } : {}),
  };
}

function toRequest(payload: Record<string, unknown>, extra: Extra): ClientRequest {
  const { query, variables, operationName, extensions, id, documentId } = payload as unknown as ClientRequest;
  return {
    query,
    variables,
    operationName: textOf(operationName),
    extensions,
    id,
    documentId,
    caller: extra.caller as Caller,
    requestId: randomUUID(),
    address: extra.address,
  };
}

/** A fresh token of the same session and membership prolongs a socket. */
async function prolong(auth: Authenticator, caller: Caller, token: string, address: string): Promise<void> {
  const fresh = await auth.authenticate(token, address);
  const isSame =
    fresh.sessionId === caller.sessionId && fresh.keyId === caller.keyId && fresh.membershipId === caller.membershipId;
  if (isSame && fresh.expiresAt > caller.expiresAt) caller.expiresAt = fresh.expiresAt;
}
