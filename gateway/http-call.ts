import type { Dispatcher } from 'undici';
import type { ClientError } from '../schema/errors.ts';
import type { GraphResult } from '../subgraphs/_kernel/subgraph.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Outcome } from './circuit-breaker.ts';
import { type CallOptions, gone, late } from './data-sources.ts';

/** What calls to one subgraph go by. */
interface Road {
  readonly name: string;
  readonly log: Logger;
  readonly limits: { answerBytes: number };
  /** Sends a call, or sends it once more. */
  dispatch(call: Call): void;
  /** A call is over, whatever became of it. */
  finished(call: Call, outcome: Outcome): void;
}

const JSON_TYPES = /^application\/(graphql-response\+)?json\s*(;|$)/i;

/** The connection was closed or reset; if nothing was answered on it, the subgraph may never have read the request. */
const LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

const HEADERS = [
  'content-type',
  'application/json',
  'accept',
  'application/json, application/graphql-response+json',
  'accept-encoding',
  'identity',
];

export function headersOf(envelope: string | undefined, passedOn: readonly string[] = []): string[] {
  return envelope === undefined ? [...HEADERS, ...passedOn] : [...HEADERS, 'isp-envelope', envelope, ...passedOn];
}

/** One call on its way: what undici tells of it, its deadline, and whoever waits for it. */
export class Call implements Dispatcher.DispatchHandler {
  readonly body: string;
  readonly headers: string[];
  readonly isMutation: boolean;
  isSent = false;
  isSettled = false;
  private readonly road: Road;
  private readonly signal: AbortSignal | undefined;
  private readonly resolve: (result: GraphResult) => void;
  private readonly reject: (error: ClientError) => void;
  private readonly timer: NodeJS.Timeout;
  private controller: Dispatcher.DispatchController | undefined;
  private status = 0;
  private size = 0;
  private first: Buffer | undefined;
  private more: Buffer[] | undefined;
  private hasBegun = false;
  private wasRepeated = false;

  constructor(
    road: Road,
    body: string,
    headers: string[],
    { timeoutMs, signal, isMutation = false }: CallOptions,
    resolve: (result: GraphResult) => void,
    reject: (error: ClientError) => void,
  ) {
    this.road = road;
    this.body = body;
    this.headers = headers;
    this.isMutation = isMutation;
    this.signal = isMutation ? undefined : signal; // what a mutation did is wanted by whoever asks again with its key
    this.resolve = resolve;
    this.reject = reject;
    this.timer = setTimeout(onDeadline, timeoutMs, this);
    this.signal?.addEventListener('abort', this);
  }

  /** The caller left. */
  handleEvent(): void {
    this.give(gone(), 'LEFT');
  }

  pastDeadline(): void {
    this.fail('no answer before the deadline', late());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.isSettled) controller.abort(new Error('Nobody waits any more.'));
  }

  onResponseStarted(): void {
    this.hasBegun = true;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200 || this.isSettled) return;
    this.status = status;
    const encoding = headers['content-encoding'];
    if (status >= 300 && status < 400) this.fail('a redirect');
    else if (!JSON_TYPES.test(String(headers['content-type']))) this.fail('no JSON');
    else if (encoding !== undefined && encoding !== 'identity') this.fail('an encoding nobody asked for');
    else if (Number(headers['content-length']) > this.road.limits.answerBytes) this.fail('too much');
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) return;
    this.size += chunk.length;
    if (this.size > this.road.limits.answerBytes) this.fail('too much');
    else if (!this.first) this.first = chunk;
    else if (!this.more) this.more = [this.first, chunk];
    else this.more.push(chunk);
  }

  onResponseEnd(): void {
    if (this.isSettled) return;
    const bytes = this.more ? Buffer.concat(this.more, this.size) : this.first;
    const result = parse(bytes?.toString('utf8') ?? '');
    if (isResult(result)) this.succeed(result);
    else this.fail('what is no answer of a graph');
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error & { code?: string }): void {
    if (this.isSettled) return;
    const mayRepeat = !this.hasBegun && !this.isMutation && !this.wasRepeated && LOST.has(String(error.code));
    if (mayRepeat) {
      this.wasRepeated = true; // a kept connection may be closed just when a call is sent on it
      this.road.dispatch(this);
    } else this.fail(error.message);
  }

  private succeed(result: GraphResult): void {
    this.settle('ANSWERED');
    this.resolve(result);
  }

  private fail(why: string, error = gone()): void {
    const { log, name } = this.road;
    log.warn({ subgraph: name, status: this.status || undefined, why }, 'a subgraph could not be asked');
    this.give(error, 'FAILED');
  }

  /** Ends the call before its answer came; what is still to come of it is not read. */
  private give(error: ClientError, outcome: Outcome): void {
    this.isSettled = true;
    this.first = undefined;
    this.more = undefined;
    this.controller?.abort(error);
    this.settle(outcome);
    this.reject(error);
  }

  private settle(outcome: Outcome): void {
    this.isSettled = true;
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this);
    this.road.finished(this, outcome);
  }
}

const onDeadline = (call: Call) => call.pastDeadline();

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether this is what the specification calls a response: data, or errors that say why there is none. */
function isResult(value: unknown): value is GraphResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { data, errors } = value as { data?: unknown; errors?: unknown };
  const saysWhy = Array.isArray(errors) && errors.length > 0;
  if (errors !== undefined && errors !== null && !Array.isArray(errors)) return false;
  if (data === null || data === undefined) return saysWhy;
  return typeof data === 'object' && !Array.isArray(data);
}
