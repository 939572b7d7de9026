import { Agent, request as httpRequest } from 'undici';
import { ClientError } from '../schema/errors.ts';
import type { GraphResult, RunningSubgraph, SubgraphStream } from '../subgraphs/_kernel/subgraph.ts';
import { STREAM_HEADER } from '../subgraphs/_kernel/subgraph-server.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';

/** A subgraph as the gateway sees it, wherever it runs. Both calls throw ClientError when it hangs, lies or is gone. */
export interface DataSource {
  readonly name: string;
  /** `body` is the JSON text the envelope is bound to. */
  execute(body: string, envelope: string, timeoutMs: number): Promise<GraphResult>;
  subscribe(body: string, envelope: string, signal: AbortSignal): Promise<SubgraphStream | GraphResult>;
  /** Whether it would answer. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/** Largest answer of a subgraph, bytes. */
const MAX_ANSWER = 8 * 1024 * 1024;

/** How long renewing a stream's envelope may take, milliseconds. */
const RENEW_MS = 2_000;

const late = () => new ClientError('SUBGRAPH_TIMEOUT', 'A part of the answer took too long. Please try again.');
const gone = () =>
  new ClientError('SUBGRAPH_UNAVAILABLE', 'A part of the answer is not available right now. Please try again.');

/** A subgraph in this process: a call of a function, with the same envelope it would get over HTTP. */
export function localSubgraph(running: RunningSubgraph): DataSource {
  return {
    name: running.name,
    async execute(body, envelope, timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), timeoutMs);
      });
      return Promise.race([running.execute(body, envelope), timeout]).finally(() => clearTimeout(timer));
    },
    subscribe: (body, envelope) => running.subscribe(body, envelope),
    isReady: () => running.isReady(),
    close: async () => undefined,
  };
}

/** A subgraph behind HTTP: kept-alive connections, a deadline, a cap on what it may answer. */
export function remoteSubgraph(name: string, url: string, log: Logger): DataSource {
  const agent = new Agent({
    connections: 64,
    keepAliveTimeout: 30_000,
    maxResponseSize: MAX_ANSWER,
    connect: { timeout: 1_000 },
  });
  const streams = new Agent({ connections: 1_024, bodyTimeout: 0, headersTimeout: 5_000 });
  const ask = (
    dispatcher: Agent,
    accept: string,
    body: string,
    envelope: string,
    signal: AbortSignal,
    more: Record<string, string> = {},
  ) =>
    httpRequest(url, {
      dispatcher,
      method: 'POST',
      signal,
      body,
      headers: { 'content-type': 'application/json', accept, 'isp-envelope': envelope, ...more },
    });
  const meaning = (error: unknown) => {
    if (error instanceof ClientError) return error;
    log.warn({ subgraph: name, error: (error as Error).message }, 'a subgraph could not be asked');
    return (error as Error).name === 'TimeoutError' || /timeout/i.test((error as Error).name) ? late() : gone();
  };
  return {
    name,
    async execute(body, envelope, timeoutMs) {
      try {
        const {
          statusCode,
          headers,
          body: answer,
        } = await ask(agent, 'application/json', body, envelope, AbortSignal.timeout(timeoutMs));
        if (!String(headers['content-type']).startsWith('application/json')) {
          await answer.dump();
          throw gone();
        }
        const result = (await answer.json()) as GraphResult;
        if (typeof result !== 'object' || result === null || (statusCode >= 500 && !result.errors)) throw gone();
        return result;
      } catch (error) {
        throw meaning(error);
      }
    },
    async subscribe(body, envelope, signal) {
      try {
        const { headers, body: answer } = await ask(
          streams,
          'text/event-stream, application/json',
          body,
          envelope,
          signal,
        );
        if (String(headers['content-type']).startsWith('application/json')) return (await answer.json()) as GraphResult;
        const id = String(headers[STREAM_HEADER]);
        return Object.assign(readEvents(answer, signal), {
          async renew(fresh: string) {
            const timeout = AbortSignal.timeout(RENEW_MS);
            const renewed = await ask(agent, 'application/json', body, fresh, timeout, { [STREAM_HEADER]: id });
            await renewed.body.dump();
            if (renewed.statusCode !== 200) throw gone(); // another replica, or one that began anew: the client comes back
          },
        });
      } catch (error) {
        throw meaning(error);
      }
    },
    async isReady() {
      try {
        const { statusCode, body } = await httpRequest(new URL('/health/ready', url), {
          dispatcher: agent,
          signal: AbortSignal.timeout(1_000),
        });
        await body.dump();
        return statusCode === 200;
      } catch {
        return false;
      }
    },
    close: async () => {
      await Promise.all([agent.destroy(), streams.destroy()]);
    },
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
      if (text.length > MAX_ANSWER) throw gone();
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
