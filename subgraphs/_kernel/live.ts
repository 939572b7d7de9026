import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '../../schema/events.ts';
import type { Context, Machinery } from './context.ts';
import { systemContext } from './context.ts';
import { logHead, readLog } from './events.ts';
import { interruptible } from './interruptible.ts';

/** Without a notification the log is looked at this often, milliseconds. */
const POLL_MS = 1_000;
/** Events read in one statement. */
const PAGE = 500;
/** Events a reader may lag behind before it is told to begin anew. */
const QUEUE_LIMIT = 128;

/** A stream outlives a database that is away this long, milliseconds. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 250;

/** Hears what is new, or that it has to begin anew: the log goes on elsewhere, with places of its own. */
type Hearer = (events: LoggedEvent[] | 'ANEW') => void;

/** One reader of a tenant's log per process, however many follow it. */
class Tail {
  private readonly hearers = new Set<Hearer>();
  private readonly stopListening: () => void;
  private readonly timer: NodeJS.Timeout;
  private isReading = false;
  private isDirty = false;
  private isOver = false;
  private readonly machinery: Machinery;
  private readonly tenantId: string;
  private at: number;
  private readonly onIdle: () => void;

  constructor(machinery: Machinery, tenantId: string, at: number, onIdle: () => void) {
    this.machinery = machinery;
    this.tenantId = tenantId;
    this.at = at;
    this.onIdle = onIdle;
    this.stopListening = machinery.fanOut.onTenant(tenantId, () => this.wake());
    this.timer = setInterval(() => this.wake(), POLL_MS);
    this.timer.unref();
    this.wake();
  }

  /** Returns how to leave; undefined when the last hearer has left in this very moment and another tail is needed. */
  add(hearer: Hearer): (() => void) | undefined {
    if (this.isOver) return undefined;
    this.hearers.add(hearer);
    return () => {
      this.hearers.delete(hearer);
      if (this.hearers.size > 0) return;
      this.isOver = true;
      this.stopListening();
      clearInterval(this.timer);
      this.onIdle();
    };
  }

  private wake(): void {
    this.isDirty = true;
    if (this.isReading) return;
    this.isReading = true;
    void this.read().finally(() => {
      this.isReading = false;
      if (this.isDirty && this.hearers.size > 0) this.wake();
    });
  }

  private async read(): Promise<void> {
    while (this.isDirty && this.hearers.size > 0) {
      this.isDirty = false;
      try {
        const news = await withReader(this.machinery, this.tenantId, (ctx) => this.newsFor(ctx));
        if (news.events.length === PAGE) this.isDirty = true;
        this.at = news.at;
        const told = news.isAnew ? 'ANEW' : news.events;
        if (told.length > 0) for (const hear of [...this.hearers]) hear(told);
      } catch (error) {
        this.machinery.log.warn(
          { error: (error as Error).message, tenantId: this.tenantId },
          'the event log could not be read; trying again',
        );
        return; // the timer wakes us again
      }
    }
  }

  private async newsFor(ctx: Context): Promise<{ events: LoggedEvent[]; at: number; isAnew: boolean }> {
    const em = await ctx.em();
    if (ctx.logFrom > this.at) return { events: [], at: await logHead(em), isAnew: true };
    const events = await readLog(em, this.at, PAGE);
    return { events, at: events.at(-1)?.seq ?? this.at, isAnew: false };
  }
}

/**
 * Reads in a tenant, and makes sure that it lived there all the while: what is told at its former home after it has left
 * is not for those who follow it.
 */
async function withReader<T>(machinery: Machinery, tenantId: string, run: (ctx: Context) => Promise<T>): Promise<T> {
  const ctx = await systemContext(machinery, tenantId);
  ctx.readsOneMoment = true; // how things are and the place in the log belong together
  try {
    const result = await run(ctx);
    if (machinery.homes.isAtHome) await (await ctx.em()).execute('select kernel.resident(false)');
    return result;
  } finally {
    await ctx.end();
  }
}

const tails = new WeakMap<Machinery, Map<string, Promise<Tail>>>();

function tailOf(machinery: Machinery, tenantId: string): Promise<Tail> {
  const held = tails.get(machinery) ?? new Map<string, Promise<Tail>>();
  tails.set(machinery, held);
  const forget = () => void held.delete(tenantId);
  let tail = held.get(tenantId);
  if (!tail) {
    tail = withReader(
      machinery,
      tenantId,
      async (ctx) => new Tail(machinery, tenantId, await logHead(await ctx.em()), forget),
    );
    tail.catch(forget);
    held.set(tenantId, tail);
  }
  return tail;
}

async function join(machinery: Machinery, tenantId: string, hearer: Hearer): Promise<() => void> {
  for (;;) {
    const leave = (await tailOf(machinery, tenantId)).add(hearer);
    if (leave) return leave;
  }
}

/** Where an item of a stream stands in the log it follows. */
export interface Place {
  /** The events it tells of lie behind this place; left out of what a stream begins with. */
  after?: number;
  /** When it is told, everything up to here is. */
  upTo: number;
  /** More items tell of the same events. */
  isPart?: true;
}

/** How a stream is followed that is shared, moved and picked up again: it says of each item where it stands. */
export interface Following {
  /** Goes on behind this place, without telling first how things are; unless too much has happened since. */
  after?: number;
}

/** What a followed stream yields. Nothing is told where a stream begins with nothing: then only the place counts. */
export class PlacedItem {
  readonly place: Place;
  readonly told: readonly unknown[];

  constructor(place: Place, told: readonly unknown[]) {
    this.place = place;
    this.told = told;
  }
}

/** What a stream begins with. */
export interface Beginning<T> {
  /** The place in the log up to which that is complete, so that no event is told twice. */
  upTo: number;
  first: T[];
  /** Where each of `first` stands, if each tells of events of its own: then a reader can go on between two of them. */
  places?: Place[];
}

/**
 * Follows the tenant's event log from now on: yields what is committed, in order, within milliseconds by notification
 * and within a second without. `start` runs when nothing can be missed any more and yields what the stream begins with;
 * all it reads is of one moment.
 * Where the context says how it is followed, each item comes as a `PlacedItem`.
 */
export function follow<T>(
  ctx: Context,
  start: (ctx: Context) => Promise<Beginning<T>>,
  heard: (events: LoggedEvent[], ctx: Context) => Promise<T[]> | T[],
): AsyncGenerator<T> {
  const { machinery, tenantId, following } = ctx;
  const queue: LoggedEvent[] = [];
  let wake = () => {};
  let isTooFarBehind = false;
  let isOver = false;
  let at = 0;
  const onEvents: Hearer = (events) => {
    if (events !== 'ANEW') queue.push(...events);
    if (events === 'ANEW' || queue.length > QUEUE_LIMIT) {
      isTooFarBehind = true;
      queue.length = 0;
    }
    wake();
  };

  const read = <R>(run: (reader: Context) => Promise<R>): Promise<R> =>
    patiently(
      () => withReader(machinery, tenantId, run),
      () => isOver,
    );

  async function* begin(): AsyncGenerator<T> {
    const { upTo, first, places } = await read(start);
    at = upTo;
    if (!places) yield* placed(following, first, { upTo });
    else for (const [i, item] of first.entries()) yield* placed(following, [item], places[i] ?? { upTo });
  }

  async function* tell(events: LoggedEvent[]): AsyncGenerator<T> {
    const place = { after: at, upTo: events.at(-1)?.seq ?? at };
    const items = await read(async (reader) => heard(events, reader));
    at = place.upTo;
    if (items.length > 0) yield* placed(following, items, place);
  }

  async function* all(): AsyncGenerator<T> {
    const leave = await join(machinery, tenantId, onEvents);
    try {
      const after = following?.after;
      const missed = after === undefined ? undefined : await read((reader) => missedSince(reader, after));
      if (after === undefined || !missed) yield* begin();
      else {
        at = after;
        if (missed.length > 0) yield* tell(missed);
      }
      while (!isOver) {
        if (isTooFarBehind) {
          isTooFarBehind = false;
          yield* begin();
          continue;
        }
        const fresh = queue.splice(0).filter((event) => event.seq > at);
        if (fresh.length > 0) yield* tell(fresh);
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      leave();
    }
  }
  return interruptible(all(), () => {
    isOver = true;
    wake();
  });
}

/** A database that is away, restarting or has no room: SQLSTATE classes 08, 53 and 57, errors of the network, our own pool. */
const AWAY = /^(08|53|57)|^E[A-Z]+$|^OVERLOADED$/;

/** Does again what failed because the database is away, for as long as one takes to come back. Throws what it threw last. */
async function patiently<T>(work: () => Promise<T>, isOver: () => boolean): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(RETRY_MS))
    try {
      return await work();
    } catch (error) {
      const isAway = AWAY.test(String((error as { code?: unknown }).code));
      if (!isAway || isOver() || Date.now() > until) throw error;
    }
}

/** What was committed since a place; undefined when it is more than a reader may lag behind, or is told at other places. */
async function missedSince(reader: Context, place: number): Promise<LoggedEvent[] | undefined> {
  const em = await reader.em();
  if (reader.logFrom > place) return undefined;
  const missed = await readLog(em, place, QUEUE_LIMIT + 1);
  return missed.length <= QUEUE_LIMIT ? missed : undefined;
}

function* placed<T>(following: Following | undefined, items: readonly T[], place: Place): Generator<T> {
  if (!following) return yield* items;
  if (items.length === 0) yield new PlacedItem(place, []) as T;
  for (const [i, item] of items.entries())
    yield new PlacedItem(i < items.length - 1 ? { ...place, isPart: true } : place, [item]) as T;
}
