import type { Payload } from './payload.ts';
import type { Position } from './position.ts';

/** What a stream is written to. */
export interface Wire {
  readonly door: 'websocket' | 'sse' | 'multipart';
  /** Whether more may be written without piling up at the client's end. */
  isReady(): boolean;
  /** Calls once when it is so again. */
  whenReady(call: () => void): void;
  write(payload: Payload): void;
  /** Completes the stream, after one last answer if it ends for a reason. */
  end(last?: Payload): void;
  /** Ends the connection of a client that does not read. */
  cut(): void;
}

/** Events a reader may leave unread. Over that they are dropped for the newest state. */
export const MAX_WAITING = 128;
/** A reader that leaves everything unread this long is cut off, milliseconds. */
export const READ_MS = 30_000;

interface Entry {
  payload: Payload;
  at: Position | undefined;
}

/** What waits for one reader: bounded, whatever the reader does. */
export class Outbox {
  /** Behind what has been written. */
  at: Position | undefined;
  /** Before the wire is open, everything waits. */
  private waiting: Entry[] | undefined = [];
  private since = performance.now();
  private isOpen = false;
  private whenEmpty: (() => void) | undefined;
  private readonly wire: Wire;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** Writes an answer, now or when the reader is ready for it. Answers how many had to be dropped to keep it. */
  push(payload: Payload, at: Position | undefined): number {
    if (!this.waiting && this.wire.isReady()) {
      this.wire.write(payload);
      this.at = at;
      return 0;
    }
    this.wait();
    const held = this.waiting as Entry[];
    held.push({ payload, at });
    return held.length > MAX_WAITING ? held.splice(0, held.length - 1).length : 0;
  }

  /** The wire may be written to. */
  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.flush();
  }

  /** Drops what waits. */
  clear(): void {
    if (this.waiting) this.waiting.length = 0;
  }

  /** Calls when everything is written: at once, or when the reader has read so much. */
  afterwards(call: () => void): void {
    if (this.waiting) this.whenEmpty = call;
    else call();
  }

  /** Whether the reader has taken nothing for longer than `readMs`; `now` in milliseconds of `performance`. */
  isStuck(now: number, readMs: number): boolean {
    return this.waiting !== undefined && now - this.since > readMs;
  }

  private wait(): void {
    if (this.waiting) return;
    this.waiting = [];
    this.since = performance.now();
    this.wire.whenReady(this.flush);
  }

  private readonly flush = (): void => {
    const held = this.waiting ?? [];
    this.since = performance.now();
    while (held.length > 0 && this.wire.isReady()) {
      const { payload, at } = held.shift() as Entry;
      this.wire.write(payload);
      this.at = at;
    }
    if (held.length > 0) {
      this.wire.whenReady(this.flush);
      return;
    }
    this.waiting = undefined;
    const call = this.whenEmpty;
    this.whenEmpty = undefined;
    call?.();
  };
}
