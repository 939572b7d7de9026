import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { statusOf } from '../denials.ts';
import { type Answer, type ClientRequest, type Graph, toBody } from '../graph.ts';
import { openStream } from './streams.ts';

/** Keeps proxies from closing an idle stream, and finds out that its reader is gone, milliseconds. */
const HEARTBEAT_MS = 10_000;
const BOUNDARY = 'graphql';

/** How one of the HTTP protocols writes a stream. */
interface Protocol {
  contentType: string;
  next(answer: Answer): string;
  heartbeat: string;
  end: string;
}

/** Distinct connections mode of the GraphQL over SSE protocol. */
const SSE: Protocol = {
  contentType: 'text/event-stream',
  next: (answer) => `event: next\ndata: ${JSON.stringify(toBody(answer))}\n\n`,
  heartbeat: ':\n\n',
  end: 'event: complete\ndata:\n\n',
};

const part = (body: object) => `\r\n--${BOUNDARY}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(body)}`;

/** Apollo's multipart subscription protocol: what ends a stream stands beside an empty payload. */
const MULTIPART: Protocol = {
  contentType: `multipart/mixed;boundary="${BOUNDARY}";subscriptionSpec="1.0"`,
  next: (answer) => part('data' in answer ? { payload: toBody(answer) } : { payload: null, errors: answer.errors }),
  heartbeat: part({}),
  end: `\r\n--${BOUNDARY}--\r\n`,
};

/** The streaming protocol an `Accept` header asks for, if any. */
export function protocolFor(accept: string | undefined): Protocol | undefined {
  if (/\btext\/event-stream\b/.test(accept ?? '')) return SSE;
  return /\bmultipart\/mixed\b[^,]*;\s*subscriptionSpec="?1\.0"?/.test(accept ?? '') ? MULTIPART : undefined;
}

/**
 * Answers one operation as a stream: each event of a subscription, or the one result of a query or mutation. What goes
 * wrong before a subscription is open is a plain JSON answer with its status. Reads on only as fast as its reader does.
 */
export async function answerStreaming(
  graph: Graph,
  request: ClientRequest,
  protocol: Protocol,
  response: ServerResponse,
): Promise<void> {
  const opened = await openAny(graph, request);
  if (!(Symbol.asyncIterator in opened)) {
    const text = JSON.stringify(toBody(opened));
    response.writeHead(Math.max(400, statusOf(opened.data, opened.errors ?? [])), {
      'content-type': 'application/json; charset=utf-8',
    });
    return void response.end(text);
  }
  response.writeHead(200, {
    'content-type': protocol.contentType,
    'cache-control': 'no-store',
    connection: 'keep-alive',
  });
  response.write(protocol.heartbeat);
  const beat = setInterval(() => response.write(protocol.heartbeat), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(beat);
    void opened.return(undefined);
  });
  for await (const answer of opened) {
    if (response.destroyed) return;
    if (!response.write(protocol.next(answer))) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  clearInterval(beat);
  response.end(protocol.end);
}

async function openAny(graph: Graph, request: ClientRequest): Promise<AsyncGenerator<Answer> | Answer> {
  try {
    if (graph.prepare(request).kind === 'subscription') return await openStream(graph, request);
  } catch (error) {
    return { errors: graph.errorsOf(error) };
  }
  return (async function* once() {
    yield await graph.execute(request);
  })();
}
