import type { GraphQLFormattedError } from 'graphql';
import type { Caller } from '../auth.ts';
import type { ClientRequest } from '../graph.ts';
import { streamDrops, streamEnds, streamEvents, streamsOpen } from '../metrics.ts';
import type { Group } from './group.ts';
import { Outbox, type Wire } from './outbox.ts';
import { Payload } from './payload.ts';
import type { Position } from './position.ts';
import type { Source } from './source.ts';

/** Looked up once: this is counted for each event of each reader. */
const told = {
  websocket: streamEvents.labels('websocket'),
  sse: streamEvents.labels('sse'),
  multipart: streamEvents.labels('multipart'),
};

/** What its reader asks of the streams of this process. */
export interface Keeper {
  /** Lets a reader go on behind where it is, at whatever source is right for it now. */
  settle(reader: Reader): void;
  forget(reader: Reader): void;
}

/** One subscription of one client. */
export class Reader {
  readonly request: ClientRequest;
  readonly wire: Wire;
  /** Who reads, with the rights last seen. */
  caller: Caller;
  source: Source | undefined;
  group: Group | undefined;
  /** Behind what it was told; undefined before it knows how things are. */
  at: Position | undefined;
  isOver = false;
  /** Called once, when it is over. */
  onOver: (() => void) | undefined;
  private readonly keeper: Keeper;
  private readonly outbox: Outbox;

  constructor(keeper: Keeper, request: ClientRequest, wire: Wire) {
    this.keeper = keeper;
    this.request = request;
    this.wire = wire;
    this.caller = request.caller;
    this.outbox = new Outbox(wire);
    streamsOpen.inc({ door: wire.door });
  }

  /** The client is ready to be told. */
  begin(): void {
    this.outbox.open();
    this.source?.begin();
  }

  /** Tells an event that ends at `at`. A reader that is too far behind is told how things are once it reads again. */
  tell(payload: Payload, at: Position | undefined): void {
    this.at = at;
    told[this.wire.door].inc();
    const dropped = this.outbox.push(payload, at);
    if (dropped === 0) return;
    streamDrops.inc({ door: this.wire.door }, dropped);
    if (!at) return; // nobody could tell it again: the newest stays
    this.outbox.clear();
    this.at = this.outbox.at;
    this.source?.release(this);
    this.outbox.afterwards(() => this.isOver || this.keeper.settle(this));
  }

  /** Whether it has read nothing for too long. */
  isStuck(now: number, readMs: number): boolean {
    return this.outbox.isStuck(now, readMs);
  }

  /** Nothing comes any more: what waits is told, then the stream is complete. */
  complete(): void {
    if (this.close('complete')) this.outbox.afterwards(() => this.wire.end());
  }

  /** Ends it with a coded error instead of what waits. */
  fail(errors: readonly GraphQLFormattedError[]): void {
    if (!this.close(String(errors[0]?.extensions?.code ?? 'INTERNAL'))) return;
    this.outbox.clear();
    this.wire.end(new Payload({ errors }));
  }

  /** The client has left. */
  leave(): void {
    if (this.close('left')) this.outbox.clear();
  }

  /** Cuts off a client that does not read. */
  cut(): void {
    if (!this.close('slow')) return;
    this.outbox.clear();
    this.wire.cut();
  }

  private close(reason: string): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.source?.release(this);
    this.keeper.forget(this);
    this.onOver?.();
    streamsOpen.dec({ door: this.wire.door });
    streamEnds.inc({ door: this.wire.door, reason });
    return true;
  }
}
