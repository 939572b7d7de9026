import type { Reply } from '../../subgraphs/_kernel/context.ts';
import type { Place } from '../../subgraphs/_kernel/live.ts';
import type { GraphResult, SubgraphStream } from '../../subgraphs/_kernel/subgraph.ts';
import { inSpan } from '../../subgraphs/_kernel/telemetry.ts';
import type { Caller } from '../auth.ts';
import type { Answer, ClientRequest, Graph } from '../graph.ts';
import { untilNextStep } from '../licenses.ts';
import { sourcesOpen } from '../metrics.ts';
import { type Standing, standingOf } from '../standing.ts';
import { presentOf } from '../tenants.ts';
import { answersFor, type Group } from './group.ts';
import type { Payload } from './payload.ts';
import { followed, groupKey, type Plan, sourceKey } from './plan.ts';
import { behind, type Event, overlaps, type Position } from './position.ts';
import type { Reader } from './reader.ts';
import { mayOf, opensOf, personOf, refuseIfLost, standingNow } from './rights.ts';

/** How long opening a stream at its subgraph may take, milliseconds. */
const OPEN_MS = 30_000;

/** What a source asks of the streams of this process. */
export interface Sources {
  readonly graph: Graph;
  /** Sources that others may join, by key: those that have begun, and those of which nothing was heard yet. */
  readonly shared: Map<string, Source>;
  readonly fresh: Map<string, Source>;
  /** Every source, to be looked after. */
  readonly all: Set<Source>;
  settle(reader: Reader): void;
  /** Ends a reader with the coded error of what was thrown. */
  fail(reader: Reader, thrown: unknown): void;
}

interface Upstream {
  events: SubgraphStream;
  abort: AbortController;
}

/**
 * One subscription at a subgraph, followed for all readers who may the same and whose primary operation is the same. For
 * each event the rest of the plan runs once per group, and all its readers get the same bytes.
 *
 * Every stream begins as a source of its own, for it begins with how things are; once it has caught up with a shared
 * source like it, its readers go over to that one. Where a source is in its log is what makes this exact: a reader that
 * changes its source, for whatever reason, goes on behind its own position, so that nothing is lost or told twice.
 */
export class Source {
  /** Why its subgraph refused it, if it did. */
  opened: Promise<Answer | undefined> = Promise.resolve(undefined);
  private readonly sources: Sources;
  private readonly groups = new Map<string, Group>();
  private readonly plan: Plan;
  private readonly may: string;
  private opens = '';
  /** Whose alone it is, once what it tells was found to hang on who asks. */
  private person: string | undefined;
  private openedBy = '';
  private key = '';
  private at: Position | undefined;
  /** Items told of what follows `at`. */
  private part = 0;
  private upstream: Upstream | undefined;
  /** How often its subgraph was asked: what comes back from an earlier turn is not heard. */
  private turns = 0;
  private isBegun = false;
  /** The stream whose item is being told. */
  private telling: SubgraphStream | undefined;
  private isOver = false;
  /** Sources like this one that are not where it is. */
  private readonly behind = new Set<Source>();
  private stops: (() => void)[] = [];
  /** When the licence changes by time alone, epoch milliseconds. */
  private nextStep = Number.POSITIVE_INFINITY;

  constructor(sources: Sources, plan: Plan, standing: Standing, reader: Reader) {
    this.sources = sources;
    this.plan = plan;
    this.may = mayOf(standing.caller);
    this.at = reader.at && { after: reader.at.after, told: 0 };
    this.add(reader, plan);
  }

  /** Opens it at its subgraph; answers why not, if that refuses. Throws when the subgraph cannot be asked. */
  open(standing: Standing): Promise<Answer | undefined> {
    this.opened = this.openNow(standing);
    return this.opened;
  }

  private async openNow(standing: Standing): Promise<Answer | undefined> {
    const { graph } = this.sources;
    const { tenantId } = standing.caller;
    const refused = await this.ask(standing);
    if (refused || this.isOver) return refused;
    this.sources.all.add(this);
    sourcesOpen.inc();
    const changed = () => void this.recheck();
    if (tenantId)
      this.stops = [graph.parts.licenses.onChange(tenantId, changed), graph.parts.tenants.onChange(tenantId, changed)];
    changed(); // of what changed while it was opened
    return undefined;
  }

  /** Follows what its subgraph tells: at once, or while it is asked anew as soon as it has answered. */
  begin(): void {
    if (this.isBegun) return;
    this.isBegun = true;
    if (this.upstream) void this.follow(this.upstream.events);
  }

  /** Takes a reader that stands where it is or ahead of it, if it is at rest and the reader is between two events. */
  takes(reader: Reader, plan: Plan): boolean {
    if (!this.isAtRest || !reader.at || reader.at.told > 0 || !this.at || reader.at.after < this.at.after) return false;
    this.add(reader, plan);
    return true;
  }

  /** Lets a reader go. Nobody left: the subgraph is told at once. */
  release(reader: Reader): void {
    const { group } = reader;
    if (reader.source !== this || !group) return;
    reader.source = undefined;
    reader.group = undefined;
    group.readers.delete(reader);
    if (group.readers.size === 0) this.groups.delete(group.key);
    if (this.groups.size === 0) this.close();
  }

  /** What it is by time alone. */
  tick(now: number): void {
    if (now >= this.nextStep) void this.recheck();
  }

  /** Goes on under a new supergraph: a reader whose operation is asked otherwise now changes its source. */
  replan(planOf: (request: ClientRequest) => Plan): void {
    for (const group of [...this.groups.values()]) {
      try {
        const plan = planOf(group.request);
        const isSame = plan.body === this.plan.body && plan.primary.serviceName === this.plan.primary.serviceName;
        if (isSame) group.plan = plan;
        else for (const reader of [...group.readers]) this.move(reader);
      } catch (error) {
        for (const reader of [...group.readers]) this.sources.fail(reader, error);
      }
    }
  }

  /** Hears that something about a reader's session changed: it stays if it may what it might, or goes where it belongs. */
  meet(reader: Reader, fresh: Caller): void {
    if (reader.source !== this) return;
    const isSame = this.person === undefined || this.person === personOf(reader.request, fresh);
    if (mayOf(fresh) !== this.may || !isSame) this.move(reader);
    else reader.caller = fresh;
  }

  private get isAtRest(): boolean {
    return this.upstream !== undefined && !this.telling && !this.isOver && this.part === 0;
  }

  /** Adds a reader: it is told what comes from now on. */
  add(reader: Reader, plan: Plan): void {
    const key = groupKey(plan, reader.request);
    let group = this.groups.get(key);
    if (!group) {
      group = { key, plan, request: { ...reader.request, signal: undefined }, readers: new Set() };
      this.groups.set(key, group);
    }
    reader.request.query = group.request.query; // the text is held once
    reader.source = this;
    reader.group = group;
    group.readers.add(reader);
  }

  private *readers(): Generator<Reader> {
    for (const { readers } of this.groups.values()) yield* readers;
  }

  /** Asks the subgraph, in the name of one reader, for what comes behind where this source is; answers why it refuses. */
  private async ask(standing: Standing): Promise<Answer | undefined> {
    const { graph } = this.sources;
    const { primary, body } = this.plan;
    const [reader] = this.readers();
    const group = reader?.group;
    if (!reader || !group) return undefined;
    const turn = ++this.turns;
    this.opens = opensOf(standing);
    this.register();
    if (!this.at && !this.sources.fresh.has(this.key)) this.sources.fresh.set(this.key, this);
    this.openedBy = personOf(reader.request, standing.caller);
    this.foresee(standing);
    this.part = 0;
    const source = graph.sourceOf(primary.serviceName);
    const text = graph.parts.mint ? followed(body, this.at) : body;
    const abort = new AbortController();
    const envelope = graph.seal(source.name, text, reader.request, standing, Date.now() + OPEN_MS);
    const events = await source.subscribe(text, envelope as string, abort.signal);
    if (!(Symbol.asyncIterator in events)) {
      const { errors } = await graph.run(group.plan.operation, group.request, standing, { primary, result: events });
      return { errors };
    }
    if (this.isOver || this.turns !== turn) {
      stop({ events, abort });
      return undefined;
    }
    this.upstream = { events, abort };
    if (this.isBegun) void this.follow(events);
    return undefined;
  }

  /** Notes when time alone will change the licence next. The tenant's clock may be a sandbox's, and may be moved. */
  private foresee({ caller: { tenantId }, license }: Standing): void {
    const tenant = tenantId && this.sources.graph.parts.tenants.held(tenantId);
    this.nextStep = tenant ? Date.now() + untilNextStep(license, presentOf(tenant)) : Number.POSITIVE_INFINITY;
  }

  private async follow(events: SubgraphStream): Promise<void> {
    try {
      while (this.upstream?.events === events) {
        const next = await events.next();
        if (this.upstream?.events !== events) return;
        if (next.done) return this.end((reader) => reader.complete());
        this.telling = events;
        try {
          await inSpan('event', {}, () => this.hear(next.value, events));
        } finally {
          if (this.telling === events) this.telling = undefined;
        }
        if (this.upstream?.events === events) this.rest();
      }
    } catch (error) {
      if (this.upstream?.events === events) this.end((reader) => this.sources.fail(reader, error));
    }
  }

  private async hear(result: GraphResult, events: SubgraphStream): Promise<void> {
    const { graph } = this.sources;
    const place = result.extensions?.place as Place | undefined;
    this.leaveFresh();
    if ((result.extensions?.reply as Reply | undefined)?.isPersonal) this.keepToOne();
    const event: Event = { result, place, part: this.part };
    if (result.data !== undefined || result.errors) {
      const standing = await this.look();
      if (!standing || this.upstream?.events !== events) return;
      if (opensOf(standing) !== this.opens) return void this.renew(standing); // it comes again, by the rights they have now
      this.dismissLost(standing);
      const groups = [...this.groups.values()];
      const told = await Promise.all(groups.map((group) => answersFor(graph, group, event, standing)));
      if (this.upstream?.events !== events) return;
      const at = place && !place.isPart ? behind(event, undefined) : undefined; // the same for all
      for (const answers of told)
        for (const [reader, payload] of answers) this.tell(reader, payload, event, at ?? behind(event, reader.at));
    }
    this.part = place?.isPart ? this.part + 1 : 0;
    if (!place || place.isPart) return;
    this.at = { after: place.upTo, told: 0 };
    for (const reader of this.readers()) if (!reader.at) reader.at = this.at; // it began with nothing
  }

  /** Tells one reader, unless it left, or something about its session changed: then it goes on when that is known. */
  private tell(reader: Reader, payload: Payload, event: Event, at: Position | undefined): void {
    if (reader.source !== this) return;
    const isChanged = !this.sources.graph.parts.auth.isAsBefore(reader.caller);
    if (isChanged || overlaps(event, reader.at)) this.move(reader);
    else reader.tell(payload, at);
  }

  /** Ends the streams of which the licence no longer opens what they are about. */
  private dismissLost(standing: Standing): void {
    for (const { plan, readers } of [...this.groups.values()])
      try {
        refuseIfLost(plan.operation, standing);
      } catch (error) {
        for (const reader of [...readers]) this.sources.fail(reader, error);
      }
  }

  private move(reader: Reader): void {
    this.release(reader);
    this.sources.settle(reader);
  }

  /** What it tells hangs on who asks: it stays with whom it was opened for, and the others each go to one of their own. */
  private keepToOne(): void {
    if (this.person !== undefined) return;
    this.person = this.openedBy;
    this.register();
    for (const reader of [...this.readers()])
      if (personOf(reader.request, reader.caller) !== this.person) this.move(reader);
  }

  /** At rest, sources that are alike become one. */
  private rest(): void {
    if (!this.isAtRest || !this.at) return;
    const like = this.sources.shared.get(this.key);
    if (!like) this.sources.shared.set(this.key, this);
    else if (like !== this) like.absorb(this);
    else for (const source of [...this.behind]) this.absorb(source);
  }

  /** Takes over the readers of a source like this one, if both are at rest and it is where this one is, or ahead. */
  private absorb(other: Source): void {
    this.behind.delete(other);
    if (other.isOver || other.key !== this.key) return;
    const isTogether = this.isAtRest && other.isAtRest && this.at && other.at && other.at.after >= this.at.after;
    if (!isTogether) return void this.behind.add(other);
    for (const reader of [...other.readers()]) {
      const plan = reader.group?.plan as Plan;
      if (!reader.at || reader.at.after < (other.at?.after ?? 0)) reader.at = other.at;
      other.release(reader);
      this.add(reader, plan);
    }
  }

  /** Looks again at what tenant and licence say, and goes on with it. */
  private async recheck(): Promise<void> {
    try {
      const standing = await this.look();
      if (!standing || this.isOver) return;
      this.foresee(standing);
      this.dismissLost(standing);
      if (!this.isOver && opensOf(standing) !== this.opens) await this.renew(standing);
    } catch (error) {
      this.end((reader) => this.sources.fail(reader, error));
    }
  }

  /**
   * How its readers stand now. They differ in their sessions alone, so one can stand for all; whoever was stopped meanwhile
   * is told so and leaves. Throws what their tenant is refused with.
   */
  private async look(): Promise<Standing | undefined> {
    const { graph } = this.sources;
    for (const reader of [...this.readers()]) {
      const now = graph.parts.auth.isFresh ? standingNow(graph, reader.caller) : undefined;
      if (now) return now;
      try {
        reader.caller = await graph.parts.auth.renew(reader.request.caller);
      } catch (error) {
        this.sources.fail(reader, error);
        continue;
      }
      if (mayOf(reader.caller) === this.may) return standingOf(graph.parts, reader.request.caller);
      this.move(reader);
    }
    return undefined;
  }

  /** Goes on behind where it is, by the rights its readers have now. What the former stream still says is not heard. */
  private async renew(standing: Standing): Promise<void> {
    const former = this.upstream;
    this.upstream = undefined;
    this.unregister();
    try {
      const refused = await this.ask(standing);
      stop(former);
      if (refused) return this.end((reader) => reader.fail(refused.errors ?? []));
    } catch (error) {
      stop(former);
      this.end((reader) => this.sources.fail(reader, error));
    }
  }

  private register(): void {
    this.unregister();
    this.key = sourceKey(this.plan, this.may, this.opens, this.person);
  }

  private leaveFresh(): void {
    if (this.sources.fresh.get(this.key) === this) this.sources.fresh.delete(this.key);
  }

  private unregister(): void {
    this.leaveFresh();
    if (this.sources.shared.get(this.key) === this) this.sources.shared.delete(this.key);
    const alike = [...this.behind];
    this.behind.clear();
    for (const source of alike) source.rest();
  }

  private end(how: (reader: Reader) => void): void {
    for (const reader of [...this.readers()]) how(reader);
    this.close();
  }

  private close(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const stopHearing of this.stops) stopHearing();
    if (this.sources.all.delete(this)) sourcesOpen.dec();
    this.unregister();
    stop(this.upstream);
    this.upstream = undefined;
  }
}

function stop(upstream: Upstream | undefined): void {
  upstream?.abort.abort();
  void upstream?.events.return(undefined);
}
