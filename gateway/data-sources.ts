import { ClientError } from '../schema/errors.ts';
import type { GraphResult, RunningSubgraph, SubgraphStream } from '../subgraphs/_kernel/subgraph.ts';

export interface CallOptions {
  /** How long the answer is waited for, milliseconds. */
  timeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  signal?: AbortSignal;
  /** Headers of the client that are passed on: names and values in turn. */
  headers?: readonly string[];
  /** A mutation is sent once, whatever happens. */
  isMutation?: boolean;
}

/** A subgraph as the gateway sees it, wherever it runs. Both calls throw ClientError when it hangs, lies or is gone. */
export interface DataSource {
  readonly name: string;
  /** `body` is the JSON text the envelope is bound to; a subgraph of somebody else gets no envelope. */
  execute(body: string, envelope: string | undefined, options: CallOptions): Promise<GraphResult>;
  subscribe(body: string, envelope: string | undefined, signal: AbortSignal): Promise<SubgraphStream | GraphResult>;
  /** Whether it would answer. */
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

export const late = () => new ClientError('SUBGRAPH_TIMEOUT', 'A part of the answer took too long. Please try again.');
export const gone = () =>
  new ClientError('SUBGRAPH_UNAVAILABLE', 'A part of the answer is not available right now. Please try again.');

/** A subgraph in this process: a call of a function, with the same envelope it would get over HTTP. */
export function localSubgraph(running: RunningSubgraph): DataSource {
  return {
    name: running.name,
    execute: (body, envelope, { signal }) => running.execute(body, envelope, signal), // its deadline is in the envelope
    subscribe: (body, envelope) => running.subscribe(body, envelope),
    isReady: () => running.isReady(),
    close: async () => undefined,
  };
}
