import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { badInput, ClientError, unauthenticated } from '../../schema/errors.ts';
import { principalOf } from '../auth.ts';
import type { Operation } from '../execution/operation.ts';
import { type Answer, bodyOf, type ClientRequest, type Graph } from '../graph.ts';
import { type Standing, standingOf } from '../standing.ts';
import type { Wire } from './outbox.ts';
import { type Plan, sourceKey } from './plan.ts';
import { Reader } from './reader.ts';
import { mayOf, observedRoots, opensOf, personOf, refuseIfLost } from './rights.ts';
import { Source, type Sources } from './source.ts';
import { Places, type StreamLimits, tooMany } from './stream-limits.ts';

/** How often what ends by time alone is looked for, milliseconds. */
const TICK_MS = 250;

/**
 * All subscriptions of this process, over whatever door they came. Rights are looked at again for every event, and
 * whenever something about a caller's session, tenant or licence changes: a stream that lost its right ends with one
 * coded error.
 */
export class Streams implements Sources {
  readonly graph: Graph;
  readonly limits: StreamLimits;
  readonly shared = new Map<string, Source>();
  readonly fresh = new Map<string, Source>();
  readonly all = new Set<Source>();
  private readonly readers = new Map<Reader, () => void>();
  private readonly places: Places;
  private readonly timer: NodeJS.Timeout;
  private isClosed = false;

  constructor(graph: Graph, limits: StreamLimits) {
    this.graph = graph;
    this.limits = limits;
    this.places = new Places(limits.streamsPerUser);
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
    graph.parts.supergraph.onChange(() => {
      for (const source of [...this.all]) source.replan((request) => this.planOf(request));
    });
  }

  /**
   * Opens a subscription. It tells nothing before its reader's `begin`. Never throws: what goes wrong before the stream
   * opens is an answer with errors.
   */
  async open(request: ClientRequest, wire: Wire): Promise<Reader | Answer> {
    let leave: (() => void) | undefined;
    try {
      if (this.isClosed) throw goingAway();
      const operation = this.prepare(request);
      const admitted = await this.graph.admission.admit(operation, request);
      if (admitted.errors) return this.graph.refusals.answerTo(admitted);
      const plan = planned(operation, request, admitted.values);
      leave = this.places.take(principalOf(request.caller) ?? request.address);
      if (!leave) throw tooMany(`You have ${this.limits.streamsPerUser} streams open already.`);
      const standing = await standingOf(this.graph.parts, request.caller);
      refuseIfLost(plan.operation, standing);
      const uncounted = await this.graph.countCall(standing);
      if (uncounted) {
        leave();
        return uncounted;
      }
      const reader = new Reader(this, request, wire);
      reader.caller = standing.caller;
      const refused = await this.place(reader, plan, standing).catch((error) => {
        reader.leave();
        throw error;
      });
      if (refused) {
        reader.leave();
        leave();
        return refused;
      }
      const passed = observedRoots(plan.operation, standing);
      if (passed) this.graph.parts.denials?.noteObserved(passed, standing);
      this.keep(reader, leave);
      return reader;
    } catch (error) {
      leave?.();
      return { errors: await this.explain(request, error) };
    }
  }

  settle(reader: Reader): void {
    void this.goOn(reader).catch((error) => this.fail(reader, error));
  }

  forget(reader: Reader): void {
    this.readers.get(reader)?.();
    this.readers.delete(reader);
  }

  fail(reader: Reader, thrown: unknown): void {
    if (reader.isOver) return;
    reader.source?.release(reader);
    void this.explain(reader.request, thrown).then((errors) => reader.fail(errors));
  }

  /** Ends every stream over HTTP with a coded error; sockets say it by their close code. */
  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    const errors = this.graph.refusals.errorsOf(goingAway());
    for (const reader of [...this.readers.keys()])
      if (reader.wire.door === 'websocket') reader.leave();
      else reader.fail(errors);
  }

  private keep(reader: Reader, leave: () => void): void {
    const stopHearing = this.graph.parts.auth.onChange(reader.caller, () => void this.recheck(reader));
    this.readers.set(reader, () => {
      stopHearing();
      leave();
    });
    if (!this.graph.parts.auth.isAsBefore(reader.caller)) void this.recheck(reader); // changed while it was opened
  }

  private async recheck(reader: Reader): Promise<void> {
    try {
      const fresh = await this.graph.parts.auth.renew(reader.request.caller);
      reader.source?.meet(reader, fresh);
    } catch (error) {
      this.fail(reader, error);
    }
  }

  /** Goes on behind where a reader is: with a shared source that is there already, or with one of its own. */
  private async goOn(reader: Reader): Promise<void> {
    const plan = this.planOf(reader.request);
    const standing = await standingOf(this.graph.parts, reader.request.caller);
    refuseIfLost(plan.operation, standing);
    if (reader.isOver || reader.source) return;
    reader.caller = standing.caller;
    const [may, opens] = [mayOf(standing.caller), opensOf(standing)];
    for (const person of [personOf(reader.request, standing.caller), undefined])
      if (this.shared.get(sourceKey(plan, may, opens, person))?.takes(reader, plan)) return;
    const refused = await this.place(reader, plan, standing);
    if (refused) reader.fail(refused.errors ?? []);
    else reader.begin();
  }

  /** Finds a reader a source that tells it everything behind where it is; answers why its subgraph refuses, if it does. */
  private async place(reader: Reader, plan: Plan, standing: Standing): Promise<Answer | undefined> {
    const fresh = reader.at
      ? undefined
      : this.fresh.get(sourceKey(plan, mayOf(standing.caller), opensOf(standing), undefined));
    if (fresh) {
      fresh.add(reader, plan);
      const isRefused = await fresh.opened.catch(() => true as const); // perhaps for who asked: not for everybody
      if (!isRefused || reader.isOver) return undefined;
      fresh.release(reader);
    }
    return new Source(this, plan, standing, reader).open(standing);
  }

  private prepare(request: ClientRequest): Operation {
    const operation = this.graph.prepare(request);
    if (operation.kind !== 'subscription') throw badInput('This is not a subscription.');
    return operation;
  }

  /** The plan of a request that was admitted before. */
  private planOf(request: ClientRequest): Plan {
    const operation = this.prepare(request);
    const { values, errors } = operation.variables(request.variables ?? {});
    if (errors.length > 0) throw errors;
    return planned(operation, request, values);
  }

  private async explain(request: ClientRequest, thrown: unknown): Promise<NonNullable<Answer['errors']>> {
    const errors = this.graph.refusals.errorsOf(thrown);
    const standing = await standingOf(this.graph.parts, request.caller).catch(() => undefined);
    return standing ? this.graph.refusals.withWayOut(errors, standing) : errors;
  }

  private tick(): void {
    const [now, at] = [Date.now(), performance.now()];
    for (const reader of [...this.readers.keys()]) {
      if (reader.request.caller.expiresAt <= now) this.fail(reader, unauthenticated('EXPIRED'));
      else if (reader.isStuck(at, this.limits.readMs)) reader.cut();
    }
    for (const source of [...this.all]) source.tick(now);
  }
}

function planned(operation: Operation, request: ClientRequest, values: Record<string, unknown>): Plan {
  const variables = { ...values, ...request.variables };
  const node = operation.planFor(variables);
  if (node?.kind !== 'Subscription') throw badInput('A subscription follows one field.');
  const primary = node.primary as FetchNode;
  return { operation, values, primary, rest: node.rest as PlanNode | undefined, body: bodyOf(primary, variables) };
}

const goingAway = () =>
  new ClientError('SUBGRAPH_UNAVAILABLE', 'This server is going away. Please come back.', { reason: 'GOING_AWAY' });
