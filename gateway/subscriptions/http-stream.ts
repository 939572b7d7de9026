import type { ServerResponse } from 'node:http';
import { retryAfter, statusOf } from '../denials.ts';
import { type Answer, bodyText, type ClientRequest } from '../graph.ts';
import type { Wire } from './outbox.ts';
import { type Framing, Payload } from './payload.ts';
import { Reader } from './reader.ts';
import type { Streams } from './streams.ts';

/** Keeps proxies from closing an idle stream, and finds out that its reader is gone, milliseconds. */
const HEARTBEAT_MS = 10_000;
const BOUNDARY = 'graphql';

/** How one of the HTTP protocols writes a stream. */
interface Protocol {
  door: 'sse' | 'multipart';
  contentType: string;
  next: Framing;
  heartbeat: string;
  end: string;
}

/** Distinct connections mode of the GraphQL over SSE protocol. */
const SSE: Protocol = {
  door: 'sse',
  contentType: 'text/event-stream',
  next: (_answer, text) => `event: next\ndata: ${text}\n\n`,
  heartbeat: ':\n\n',
  end: 'event: complete\ndata:\n\n',
};

const part = (text: string) => `\r\n--${BOUNDARY}\r\ncontent-type: application/json\r\n\r\n${text}`;

/** Apollo's multipart subscription protocol: what ends a stream stands beside an empty payload. */
const MULTIPART: Protocol = {
  door: 'multipart',
  contentType: `multipart/mixed;boundary="${BOUNDARY}";subscriptionSpec="1.0"`,
  next: (answer, text) =>
    part(
      answer.text === undefined && answer.data === undefined
        ? JSON.stringify({ payload: null, errors: answer.errors })
        : `{"payload":${text}}`,
    ),
  heartbeat: part('{}'),
  end: `\r\n--${BOUNDARY}--\r\n`,
};

/** The streaming protocol an `Accept` header asks for, if any. */
export function protocolFor(accept: string | undefined): Protocol | undefined {
  if (/\btext\/event-stream\b/.test(accept ?? '')) return SSE;
  return /\bmultipart\/mixed\b[^,]*;\s*subscriptionSpec="?1\.0"?/.test(accept ?? '') ? MULTIPART : undefined;
}

/**
 * Answers one operation as a stream: each event of a subscription, or the one result of a query or mutation. What goes
 * wrong before a subscription is open is a plain JSON answer with its status.
 */
export async function answerStreaming(
  streams: Streams,
  request: ClientRequest,
  protocol: Protocol,
  response: ServerResponse,
): Promise<void> {
  const wire = new HttpWire(protocol, response);
  const opened = await openAny(streams, request, wire);
  if (opened instanceof Reader) {
    response.on('close', () => opened.leave());
    if (response.destroyed) return opened.leave();
    wire.open();
    opened.begin();
  } else if (opened.isAnswer) {
    wire.open();
    wire.end(new Payload(opened.answer));
  } else refuse(response, opened.answer);
}

async function openAny(
  streams: Streams,
  request: ClientRequest,
  wire: Wire,
): Promise<Reader | { isAnswer: boolean; answer: Answer }> {
  const { graph } = streams;
  let isStream: boolean;
  try {
    isStream = graph.prepare(request).kind === 'subscription';
  } catch (error) {
    return { isAnswer: false, answer: { errors: graph.refusals.errorsOf(error) } };
  }
  if (!isStream) return { isAnswer: true, answer: await graph.execute(request) };
  const opened = await streams.open(request, wire);
  return opened instanceof Reader ? opened : { isAnswer: false, answer: opened };
}

function refuse(response: ServerResponse, answer: Answer): void {
  response.writeHead(Math.max(400, statusOf(answer.data, answer.errors ?? [])), {
    'content-type': 'application/json; charset=utf-8',
    ...retryAfter(answer.errors ?? []),
  });
  response.end(bodyText(answer));
}

/** A stream on an HTTP response. */
class HttpWire implements Wire {
  readonly door: Protocol['door'];
  private readonly protocol: Protocol;
  private readonly response: ServerResponse;
  private beat: NodeJS.Timeout | undefined;

  constructor(protocol: Protocol, response: ServerResponse) {
    this.door = protocol.door;
    this.protocol = protocol;
    this.response = response;
  }

  open(): void {
    const { response, protocol } = this;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(200, {
      'content-type': protocol.contentType,
      'cache-control': 'no-store',
      connection: 'keep-alive',
    });
    response.write(protocol.heartbeat);
    this.beat = setInterval(() => this.isReady() && response.write(protocol.heartbeat), HEARTBEAT_MS);
    response.on('close', () => clearInterval(this.beat));
  }

  isReady(): boolean {
    return !this.response.writableNeedDrain;
  }

  whenReady(call: () => void): void {
    this.response.once('drain', call);
  }

  write(payload: Payload): void {
    this.response.write(payload.frame(this.protocol.next));
  }

  end(last?: Payload): void {
    this.open();
    clearInterval(this.beat);
    if (last) this.write(last);
    this.response.end(this.protocol.end);
  }

  cut(): void {
    this.response.destroy();
  }
}
