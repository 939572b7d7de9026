import { EventEmitter } from 'node:events';
import { ClientError } from '../schema/errors.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';

/** Without news the feed is read this often, milliseconds. */
const POLL_MS = 1_000;
/** A copy confirmed within this time is served as it is; an older one is read again first, milliseconds. */
const TRUSTED_MS = 2_000;
/** Feeds are kept for an hour: whoever was away for longer than this may have missed changes, milliseconds. */
const FEED_MS = 1_800_000;
/** Rows of the feed read at once. */
const PAGE = 500;

export interface FeedPage<T> {
  /** Up to where in the feed this page is complete. */
  head: number;
  /** What changed, with its new content, or undefined where the copy is to be dropped and read again when needed. */
  changed: readonly (readonly [id: string, value: T | undefined])[];
  /** What is being loaded may be among it: nobody knows yet what that hangs on. It is read again. */
  mayConcernLoading?: boolean;
}

export interface Source<T> {
  feed: string;
  load(ids: readonly string[]): Promise<ReadonlyMap<string, T>>;
  readFeed(afterSeq: number, first: number): Promise<FeedPage<T>>;
  /** Told of a copy that is held no more. */
  dropped?(id: string, value: T): void;
  /** Told after everything up to `seq` is held. */
  confirm?(seq: number): Promise<void>;
  /** Whether `heard` replaces `held`: the newest version wins, hearing one again is harmless. */
  isNewer?(held: T, heard: T): boolean;
  /** How long copies are still served when their owner cannot be reached, milliseconds since the last confirmation. */
  patienceMs: number;
  maxHeld: number;
}

/**
 * Copies of what another part owns, held in memory and kept live by a numbered feed: heard at once, polled each second,
 * trusted for two. A change is applied to all listeners before its place in the feed is confirmed.
 */
export class HeldCopies<T> {
  private readonly copies = new Map<string, T | null>();
  private readonly loading = new Map<string, Promise<T | null>>();
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly source: Source<T>;
  private readonly log: Logger;
  private readonly stopListening: () => void;
  private readonly timer: NodeJS.Timeout;
  private seq = -1;
  private confirmedAt = Number.NEGATIVE_INFINITY;
  private polling: Promise<void> | undefined;
  private isStale = false;
  /** What the feed's owner was told last to be held here, and when. */
  private told = { seq: -1, at: Number.NEGATIVE_INFINITY };
  private telling = Promise.resolve();
  /** Why the last read failed, if it did. */
  private failure: unknown;
  private readonly now: () => number;

  /** @param now by which the age of what is held is told, milliseconds. */
  constructor(source: Source<T>, fanOut: FanOut, log: Logger, now: () => number = () => performance.now()) {
    this.source = source;
    this.log = log;
    this.now = now;
    this.stopListening = fanOut.onFeed(source.feed, () => {
      this.isStale = true;
      void this.poll().catch(() => undefined);
    });
    this.timer = setInterval(() => void this.poll().catch(() => undefined), POLL_MS);
    this.timer.unref();
  }

  /** The copy of one thing, null if there is none. Throws SUBGRAPH_UNAVAILABLE when nothing is known and nobody answers. */
  async get(id: string): Promise<T | null> {
    await this.confirm();
    const held = this.copies.get(id);
    return held !== undefined ? held : this.load(id);
  }

  /** The copy without waiting: undefined when it is not held or not fresh. */
  peek(id: string): T | null | undefined {
    return this.now() - this.confirmedAt <= TRUSTED_MS ? this.copies.get(id) : undefined;
  }

  /** The copy as it is held, fresh or not. */
  held(id: string): T | null | undefined {
    return this.copies.get(id);
  }

  /** Calls `changed` whenever the copy of `id` was replaced or dropped. Returns how to stop. */
  onChange(id: string, changed: () => void): () => void {
    this.changes.on(id, changed);
    return () => void this.changes.off(id, changed);
  }

  get isFresh(): boolean {
    return this.now() - this.confirmedAt <= TRUSTED_MS;
  }

  get size(): number {
    return this.copies.size;
  }

  /**
   * Reads the feed on from where it stood. One read at a time; whoever asks meanwhile waits for a read begun after, or
   * hears that the one before it failed.
   */
  async poll(): Promise<void> {
    while (this.polling) await this.polling;
    if (!this.isStale && this.isFresh && this.now() - this.confirmedAt < POLL_MS / 2) return;
    this.isStale = false;
    this.polling = this.read().finally(() => {
      this.polling = undefined;
    });
    return this.polling;
  }

  /** Reads the feed on, although nothing was heard yet. */
  refresh(): Promise<void> {
    this.isStale = true;
    return this.poll();
  }

  /** Resolves when nothing is being read or confirmed any more. */
  async close(): Promise<void> {
    this.stopListening();
    clearInterval(this.timer);
    await this.polling?.catch(() => undefined);
    await this.telling;
  }

  /** While the owner is away nobody waits for it again: it is asked each second, and who asks us goes on with what is held. */
  private async confirm(): Promise<void> {
    if (this.isFresh) return;
    if (!this.failure) await this.poll().catch(() => undefined);
    if (this.isFresh || this.now() - this.confirmedAt <= this.source.patienceMs) return;
    throw this.failure instanceof ClientError
      ? this.failure
      : new ClientError('SUBGRAPH_UNAVAILABLE', 'This part is not available right now. Please try again.');
  }

  private async read(): Promise<void> {
    const startedAt = this.now();
    try {
      if (this.seq >= 0 && startedAt - this.confirmedAt > FEED_MS) this.forgetAll();
      if (this.seq < 0) this.seq = (await this.source.readFeed(0, 0)).head;
      for (let isMore = true; isMore; ) {
        const { head, changed, mayConcernLoading } = await this.source.readFeed(this.seq, PAGE);
        for (const [id, value] of changed) this.apply(id, value);
        if (mayConcernLoading) for (const id of [...this.loading.keys()]) this.apply(id, undefined);
        isMore = head - this.seq >= PAGE; // a page without gaps that is full
        this.seq = Math.max(this.seq, head);
      }
      this.confirmedAt = startedAt;
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      this.log.warn(
        { feed: this.source.feed, error: (error as Error).message },
        'a feed could not be read; trying again',
      );
      throw error;
    }
    // Who waits for what is new need not wait until its owner knows; but whom it has never heard of it does not wait for.
    const isFirst = this.told.seq < 0;
    this.telling = this.telling.then(() => this.tellHeld(startedAt));
    if (isFirst) await this.telling;
  }

  /** A change that is both heard and told of by its mutation is read twice, and confirmed once. */
  private async tellHeld(at: number): Promise<void> {
    const { seq } = this;
    if (seq === this.told.seq && at - this.told.at < POLL_MS / 2) return;
    try {
      await this.source.confirm?.(seq);
      this.told = { seq, at };
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'a feed could not be confirmed');
    }
  }

  /** Drops every copy and begins the feed anew. */
  private forgetAll(): void {
    this.seq = -1;
    for (const id of [...this.copies.keys(), ...this.loading.keys()]) this.apply(id, undefined);
  }

  private apply(id: string, value: T | undefined): void {
    const held = this.copies.get(id);
    const isAskedFor = held !== undefined || this.loading.has(id);
    if (value === undefined) {
      this.drop(id);
      this.loading.delete(id);
    } else if (isAskedFor && (held == null || (this.source.isNewer?.(held, value) ?? true))) this.copies.set(id, value);
    this.tell(id);
  }

  private drop(id: string): void {
    const held = this.copies.get(id);
    if (!this.copies.delete(id)) return;
    if (held) this.source.dropped?.(id, held);
  }

  private tell(id: string): void {
    this.changes.emit(id);
  }

  private load(id: string): Promise<T | null> {
    let loading = this.loading.get(id);
    if (loading) return loading;
    loading = this.source.load([id]).then((found) => {
      const value = found.get(id) ?? null;
      if (this.loading.get(id) !== loading) return value; // dropped meanwhile: not kept
      this.loading.delete(id);
      const heard = this.copies.get(id);
      if (heard !== undefined && heard !== null && value !== null && this.source.isNewer?.(value, heard)) return heard;
      if (this.copies.size >= this.source.maxHeld) this.drop(this.copies.keys().next().value as string);
      this.copies.set(id, value);
      return value;
    });
    loading.catch(() => this.loading.delete(id));
    this.loading.set(id, loading);
    return loading;
  }
}
