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

type Hearer = (events: LoggedEvent[]) => void;

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
        const events = await withReader(this.machinery, this.tenantId, async (ctx) =>
          readLog(await ctx.em(), this.at, PAGE),
        );
        this.at = events.at(-1)?.seq ?? this.at;
        if (events.length === PAGE) this.isDirty = true;
        if (events.length > 0) for (const hear of [...this.hearers]) hear(events);
      } catch (error) {
        this.machinery.log.warn(
          { error: (error as Error).message, tenantId: this.tenantId },
          'the event log could not be read; trying again',
        );
        return; // the timer wakes us again
      }
    }
  }
}

async function withReader<T>(machinery: Machinery, tenantId: string, run: (ctx: Context) => Promise<T>): Promise<T> {
  const ctx = await systemContext(machinery, tenantId);
  try {
    return await run(ctx);
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

/**
 * Follows the tenant's event log from now on: yields what is committed, in order, within milliseconds by notification
 * and within a second without. `start` runs when nothing can be missed any more and yields what the stream begins with;
 * it says the place in the log up to which that is complete, so that no event is told twice.
 */
export function follow<T>(
  ctx: Context,
  start: (ctx: Context) => Promise<{ upTo: number; first: T[] }>,
  heard: (events: LoggedEvent[], ctx: Context) => Promise<T[]> | T[],
): AsyncGenerator<T> {
  const { machinery, tenantId } = ctx;
  const queue: LoggedEvent[] = [];
  let wake = () => {};
  let isTooFarBehind = false;
  let isOver = false;
  const onEvents: Hearer = (events) => {
    queue.push(...events);
    if (queue.length > QUEUE_LIMIT) {
      isTooFarBehind = true;
      queue.length = 0;
    }
    wake();
  };

  async function* read(): AsyncGenerator<T> {
    const leave = await join(machinery, tenantId, onEvents);
    try {
      let opened = await withReader(machinery, tenantId, start);
      yield* opened.first;
      while (!isOver) {
        if (isTooFarBehind) {
          isTooFarBehind = false;
          opened = await withReader(machinery, tenantId, start);
          yield* opened.first;
          continue;
        }
        const { upTo } = opened;
        const fresh = queue.splice(0).filter((event) => event.seq > upTo);
        if (fresh.length > 0) yield* await withReader(machinery, tenantId, async (reader) => heard(fresh, reader));
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      leave();
    }
  }
  return interruptible(read(), () => {
    isOver = true;
    wake();
  });
}
