import { Client, Pool } from 'undici';
import { ClientError } from '../schema/errors.ts';
import type { GraphResult } from '../subgraphs/_kernel/subgraph.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { CircuitBreaker, type Outcome } from './circuit-breaker.ts';
import { type CallOptions, type DataSource, gone } from './data-sources.ts';
import { Call, headersOf } from './http-call.ts';
import { openHttpStreams } from './http-streams.ts';
import { circuitState } from './metrics.ts';

/** What one subgraph may take of the gateway. */
export const TRANSPORT = {
  /** Calls on the way at once, each on a connection of its own. */
  connections: 128,
  /** Calls that may wait for one of them; more are turned away at once. */
  waiting: 1_024,
  /** Largest answer, bytes. */
  answerBytes: 8 * 1024 * 1024,
  /** How long a connection may take to open, milliseconds. */
  connectMs: 1_000,
  /** How long an idle connection is kept if the subgraph does not say, milliseconds. */
  idleMs: 30_000,
};
export type TransportLimits = typeof TRANSPORT;

/**
 * Requests in a row on one connection before the first is answered. More than one would make a call wait for whatever
 * slow one happens to go before it.
 */
const PIPELINING = 1;

const crowded = () =>
  new ClientError('OVERLOADED', 'Too much is asked of a part of the answer right now. Please try again.');

/**
 * A subgraph behind HTTP: kept-alive connections, a deadline and a cap on each answer, bounded concurrency, a circuit
 * breaker. Redirects are not followed, and nothing of what went wrong is told but to the log.
 * @param url http or https; its path is where the subgraph answers.
 */
export function remoteSubgraph(
  name: string,
  url: string,
  log: Logger,
  limits: TransportLimits = TRANSPORT,
): DataSource {
  const transport = new Transport(name, new URL(url), log, limits);
  const streams = openHttpStreams(url);
  return {
    name,
    execute: (body, envelope, options) => transport.execute(body, envelope, options),
    subscribe: streams.subscribe,
    isReady: () => transport.isReady(),
    close: async () => void (await Promise.all([transport.close(), streams.close()])),
  };
}

/** The calls to one subgraph. */
class Transport {
  readonly name: string;
  readonly log: Logger;
  readonly limits: TransportLimits;
  readonly path: string;
  private readonly pool: Pool;
  /** A connection of its own, so that it is told from a busy subgraph whether it would answer. */
  private readonly health: Client;
  private readonly breaker = new CircuitBreaker();
  private running = 0;
  private waiting: Call[] = [];
  /** Those of the waiting that left before their turn; they keep their place until it comes. */
  private left = 0;

  constructor(name: string, url: URL, log: Logger, limits: TransportLimits) {
    this.name = name;
    this.log = log;
    this.limits = limits;
    this.path = url.pathname + url.search;
    this.pool = new Pool(url.origin, {
      connections: limits.connections,
      pipelining: PIPELINING,
      keepAliveTimeout: limits.idleMs,
      connectTimeout: limits.connectMs,
      headersTimeout: 0, // each call has a deadline of its own
      bodyTimeout: 0,
      allowH2: false,
    });
    circuitState.set({ subgraph: name }, 0);
    this.health = new Client(url.origin, { connectTimeout: limits.connectMs, allowH2: false });
  }

  execute(body: string, envelope: string | undefined, options: CallOptions): Promise<GraphResult> {
    if (options.signal?.aborted) return Promise.reject(gone());
    if (this.running >= this.limits.connections && this.waiting.length - this.left >= this.limits.waiting)
      return Promise.reject(crowded());
    if (!this.breaker.admit()) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      const call = new Call(this, body, headersOf(envelope, options.headers), options, resolve, reject);
      if (this.running < this.limits.connections) this.send(call);
      else this.waiting.push(call);
    });
  }

  private send(call: Call): void {
    this.running++;
    this.dispatch(call);
  }

  dispatch(call: Call): void {
    const { body, headers, isMutation } = call;
    call.isSent = true;
    this.pool.dispatch(
      { path: this.path, method: 'POST', headers, body, idempotent: !isMutation, blocking: false },
      call,
    );
  }

  /** A call is over, whatever became of it: the next one that still waits takes its place. */
  finished(call: Call, outcome: Outcome): void {
    if (this.breaker.tell(outcome)) {
      circuitState.set({ subgraph: this.name }, this.breaker.isOpen ? 1 : 0);
      this.log.warn(
        { subgraph: this.name },
        this.breaker.isOpen ? 'a subgraph fails and is given a rest' : 'a subgraph answers again',
      );
    }
    if (!call.isSent) {
      if (++this.left < this.limits.waiting) return;
      this.waiting = this.waiting.filter(({ isSettled }) => !isSettled);
      this.left = 0;
      return;
    }
    this.running--;
    while (this.running < this.limits.connections) {
      const next = this.waiting.shift();
      if (!next) return;
      if (next.isSettled) this.left--;
      else this.send(next);
    }
  }

  async isReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(this.limits.connectMs);
      const { statusCode, body } = await this.health.request({ path: '/health/ready', method: 'GET', signal });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.health.destroy()]);
  }
}
