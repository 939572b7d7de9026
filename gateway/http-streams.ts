import { Agent, request as httpRequest } from 'undici';
import { ClientError } from '../schema/errors.ts';
import type { GraphResult, SubgraphStream } from '../subgraphs/_kernel/subgraph.ts';
import { gone, late } from './data-sources.ts';

/** Streams open to one subgraph at once. */
const MAX_STREAMS = 1_024;
/** How long a subgraph may take to open one, milliseconds. */
const OPEN_MS = 5_000;
/** Largest event of a stream, characters. */
const MAX_EVENT = 8 * 1024 * 1024;

export interface HttpStreams {
  subscribe(body: string, envelope: string, signal: AbortSignal): Promise<SubgraphStream | GraphResult>;
  close(): Promise<void>;
}

/** Subscriptions at a subgraph behind HTTP: one distinct SSE connection for each. */
export function openHttpStreams(url: string): HttpStreams {
  const agent = new Agent({ connections: MAX_STREAMS, bodyTimeout: 0, headersTimeout: OPEN_MS, allowH2: false });
  const ask = (body: string, envelope: string, signal: AbortSignal) =>
    httpRequest(url, {
      dispatcher: agent,
      method: 'POST',
      signal,
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream, application/json',
        'isp-envelope': envelope,
      },
    });
  return {
    async subscribe(body, envelope, signal) {
      try {
        const { headers, body: answer } = await ask(body, envelope, signal);
        if (String(headers['content-type']).startsWith('application/json')) return (await answer.json()) as GraphResult;
        return readEvents(answer, signal);
      } catch (error) {
        throw error instanceof ClientError ? error : /timeout/i.test((error as Error).name) ? late() : gone();
      }
    },
    close: () => agent.destroy(),
  };
}

/** Reads `next` events of a distinct SSE connection until `complete`; an end without one is a loss. */
async function* readEvents(
  stream: AsyncIterable<Buffer> & { destroy?: () => void },
  signal: AbortSignal,
): AsyncGenerator<GraphResult> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_EVENT) throw gone();
      let end = text.indexOf('\n\n');
      while (end >= 0) {
        const message = text.slice(0, end);
        text = text.slice(end + 2);
        if (message.startsWith('event: complete')) return;
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data) yield JSON.parse(data) as GraphResult;
        end = text.indexOf('\n\n');
      }
    }
    if (!signal.aborted) throw gone();
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof ClientError ? error : gone();
  } finally {
    stream.destroy?.();
  }
}
