import { ClientError } from '../schema/errors.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { type Caller, principalOf } from './auth.ts';
import { shed } from './metrics.ts';

/** How long an operation may wait for its turn in a burst, milliseconds. */
export const BURST_WAIT_MS = 500;
/** How long where it is no burst, milliseconds: everybody would wait longer, and no more of them be served. */
export const STANDING_WAIT_MS = 150;
/** It is none while somebody of the tenant was turned away this short a time ago, milliseconds. */
export const STANDING_MS = 1_000;
/** Operations of one tenant that may wait, however soon their turn may come; and at least so many may. */
const MAX_LINE = 256;
const MIN_LINE = 4;
/** Operations that may wait in all. */
export const MAX_WAITING = 2_048;
/** The share of what runs at once that one tenant may hold: the rest is there for others, should hers hang. */
const MAX_SHARE = 0.75;
/** Lines are looked over this often for who has waited too long, milliseconds. */
const SWEEP_MS = 10;
/** Those turned away are asked to come back after this time, and as much again at random, milliseconds. */
const RETRY_MS = 1_000;

/** Who asks, as far as it matters for whose turn it is. */
export interface Asker {
  caller: Pick<Caller, 'tenantId' | 'userId' | 'keyId' | 'kind'>;
  address: string;
  /** Aborted when the client went away: it waits no longer. */
  signal?: AbortSignal;
}

/** The right to run one operation. */
export interface Turn {
  /**
   * The operation is over, however it ended.
   * @param wasRun false for one that was refused at the door: how long that took says nothing of how much may run.
   */
  end(wasRun?: boolean): void;
}

interface Waiting {
  line: Line;
  since: number;
  isOver: boolean;
  resolve(turn: Turn): void;
  reject(error: ClientError): void;
  stop?: () => void;
}

/** One tenant: what it runs, and who of it waits. */
interface Line {
  key: string;
  running: number;
  waiting: number;
  /** Time its operations have taken, milliseconds, while there were lines; who joins later is taken for as far as others. */
  spentMs: number;
  /** Which spell of lines that was. */
  spell: number;
  /** Until when it is no mere burst. */
  standingUntil: number;
  /** By who asks, in the order of their turns. */
  people: Map<string, Waiting[]>;
}

/** All who are not signed in share one line, in which each address has its turn. */
const STRANGERS = '';

/**
 * Keeps the process from taking on more than it can finish: so many operations run at once, some more wait a short time, the
 * rest is turned away at once with OVERLOADED. Turns go to the tenant whose operations have taken the least time, and within
 * it to one person after the other, so that nobody's flood delays anybody else by more than an operation.
 */
export class Shedding {
  private readonly limit: AdaptiveLimit;
  private readonly lines = new Map<string, Line>();
  private readonly queued = new Set<Line>();
  private readonly now: () => number;
  private running = 0;
  private waiting = 0;
  private spell = 0;
  private reachedMs = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param now a clock that never runs back, milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.limit = new AdaptiveLimit(now());
  }

  /** What runs, what waits, and how much may run. */
  get state(): { running: number; waiting: number; limit: number } {
    return { running: this.running, waiting: this.waiting, limit: this.limit.current };
  }

  /** A turn at once, or when it comes. Throws OVERLOADED, with `retryAfterMs`, when it would not come in time. */
  enter(asker: Asker): Turn | Promise<Turn> {
    const line = this.lineOf(asker.caller.tenantId ?? STRANGERS);
    if (line.waiting === 0 && this.mayRun(line)) return this.begin(line);
    this.limit.full();
    return this.wait(line, asker);
  }

  private lineOf(key: string): Line {
    let line = this.lines.get(key);
    if (!line) {
      line = { key, running: 0, waiting: 0, spentMs: 0, spell: 0, standingUntil: 0, people: new Map() };
      this.lines.set(key, line);
    }
    return line;
  }

  private mayRun(line: Line): boolean {
    const limit = this.limit.current;
    const share = Math.floor(limit * MAX_SHARE);
    if (line.running >= share) return false;
    return this.running < limit || (this.running > limit && this.running - this.excess(share) < limit);
  }

  /** What tenants hold above their share, since the limit shrank under them: nobody else has to wait for that. */
  private excess(share: number): number {
    let excess = 0;
    for (const { running } of this.lines.values()) if (running > share) excess += running - share;
    return excess;
  }

  private begin(line: Line): Turn {
    const startedAt = this.now();
    this.running++;
    line.running++;
    this.limit.began(this.running);
    let isOver = false;
    return {
      end: (wasRun = true) => {
        if (isOver) return;
        isOver = true;
        const now = this.now();
        this.running--;
        line.running--;
        line.spentMs += now - startedAt;
        if (wasRun) this.limit.ended(now - startedAt, now);
        this.letGo(line);
        if (this.waiting > 0) this.callNext();
      },
    };
  }

  private wait(line: Line, { caller, address, signal }: Asker): Promise<Turn> {
    const now = this.now();
    if (this.waiting >= MAX_WAITING || line.waiting >= this.longest(line, now)) {
      line.standingUntil = now + STANDING_MS;
      this.letGo(line);
      return Promise.reject(refused('line_full'));
    }
    if (line.waiting === 0) this.join(line);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { line, since: now, isOver: false, resolve, reject };
      if (signal) {
        const leave = () => this.giveUp(waiting, 'left');
        signal.addEventListener('abort', leave);
        waiting.stop = () => signal.removeEventListener('abort', leave);
      }
      const person = principalOf(caller) ?? address;
      const others = line.people.get(person);
      if (others) others.push(waiting);
      else line.people.set(person, [waiting]);
      this.waiting++;
      line.waiting++;
      this.queued.add(line);
      this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    });
  }

  /** The line is one again. What was while nobody had to wait does not count. */
  private join(line: Line): void {
    if (this.waiting === 0) {
      this.spell++;
      this.reachedMs = 0;
    }
    line.spentMs = Math.max(line.spell === this.spell ? line.spentMs : 0, this.reachedMs);
    line.spell = this.spell;
  }

  /** How long somebody waits in a line at most, milliseconds. */
  private patience(line: Line, now: number): number {
    return now < line.standingUntil ? STANDING_WAIT_MS : BURST_WAIT_MS;
  }

  /** How many may wait in a line: as many as are likely to have their turn in time. */
  private longest(line: Line, now: number): number {
    const turnsPerMs = this.limit.current / this.limit.typicalMs / Math.max(1, this.queued.size);
    return Math.min(MAX_LINE, Math.max(MIN_LINE, this.patience(line, now) * turnsPerMs));
  }

  /** Gives free turns to who waits. */
  private callNext(): void {
    const now = this.now();
    while (this.waiting > 0) {
      const line = this.nextLine();
      if (!line) return;
      const waiting = this.nextOf(line);
      if (!waiting) continue;
      if (now - waiting.since > this.patience(line, now)) {
        this.giveUp(waiting, 'waited');
        continue;
      }
      this.remove(waiting);
      this.reachedMs = Math.max(this.reachedMs, line.spentMs);
      waiting.resolve(this.begin(line));
    }
  }

  /** The line that has had the least, counting what it runs as if it were to take the typical time. */
  private nextLine(): Line | undefined {
    const typicalMs = this.limit.typicalMs;
    let next: Line | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const line of this.queued) {
      const had = line.spentMs + line.running * typicalMs;
      if (had < least && this.mayRun(line)) [next, least] = [line, had];
    }
    return next;
  }

  /** Whose turn it is in a line: of its people the one who has waited longest for one. */
  private nextOf(line: Line): Waiting | undefined {
    for (const [person, waits] of line.people) {
      line.people.delete(person);
      while (waits[0]?.isOver) waits.shift();
      const next = waits.shift();
      if (!next) continue;
      if (waits.length > 0) line.people.set(person, waits);
      return next;
    }
    return undefined;
  }

  /** Turns away who has waited too long: in each queue they stand in front. */
  private sweep(): void {
    const now = this.now();
    for (const line of this.queued) {
      const patience = this.patience(line, now);
      for (const [person, waits] of line.people) {
        while (waits[0] && (waits[0].isOver || now - waits[0].since > patience))
          this.giveUp(waits.shift() as Waiting, 'waited');
        if (waits.length === 0) line.people.delete(person);
      }
    }
    if (this.waiting > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private giveUp(waiting: Waiting, reason: Reason): void {
    if (waiting.isOver) return;
    this.remove(waiting);
    if (reason === 'waited') waiting.line.standingUntil = this.now() + STANDING_MS;
    this.letGo(waiting.line);
    waiting.reject(refused(reason));
  }

  private remove(waiting: Waiting): void {
    const { line } = waiting;
    waiting.isOver = true;
    waiting.stop?.();
    this.waiting--;
    line.waiting--;
    if (line.waiting > 0) return;
    line.people.clear();
    this.queued.delete(line);
  }

  /** Forgets a tenant of whom nothing runs and nobody waits. */
  private letGo(line: Line): void {
    if (line.running === 0 && line.waiting === 0) this.lines.delete(line.key);
  }
}

type Reason = 'line_full' | 'waited' | 'left';

/** Times to come back at that are told, so that not all come at once. */
const VARIANTS = 16;
/** Refusals made beforehand: to make an error would cost as much as all the rest of a refusal. */
const REFUSALS = Array.from({ length: VARIANTS }, (_, i) => {
  const retryAfterMs = Math.round(RETRY_MS * (1 + i / VARIANTS));
  return new ClientError('OVERLOADED', 'Too much is going on at once. Please try again in a moment.', { retryAfterMs });
});

function refused(reason: Reason): ClientError {
  shed.labels(reason).inc();
  return REFUSALS[Math.floor(Math.random() * REFUSALS.length)] as ClientError;
}
