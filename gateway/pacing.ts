import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Turn } from './shedding.ts';

/** How often it is looked at how busy the process is, milliseconds. */
const LOOK_MS = 50;
/** The share of its time for which it works without a pause when there is more to do than it can. */
const FULL = 0.97;
const IDLE = 0.9;
const GROWTH = 1.5;
const SHRINKAGE = 0.8;
/** However busy it is, so many operations are on their way, so that there is something to do while subgraphs are asked. */
const LEAST = 8;
/** However idle, no more than so many. */
const MOST = 10_000;

/**
 * Begins operations in the order they came, and while the process has no time left, no more of them than it takes to keep
 * it busy: what waits is a text, and what is half executed is a tree for the collector to carry about. Nobody is turned
 * away. While the process waits for subgraphs, everything is begun at once.
 */
export class Pacing {
  private limit = MOST;
  private running = 0;
  private readonly waiting: ((turn: Turn) => void)[] = [];
  private last: EventLoopUtilization = performance.eventLoopUtilization();
  private readonly timer = setInterval(() => this.look(), LOOK_MS).unref();
  private readonly turn: Turn = { end: () => this.end() };

  enter(): Turn | Promise<Turn> {
    if (this.running >= this.limit || this.waiting.length > 0)
      return new Promise((resolve) => void this.waiting.push(resolve));
    this.running++;
    return this.turn;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private end(): void {
    this.running--;
    this.begin();
  }

  private begin(): void {
    while (this.running < this.limit) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running++;
      next(this.turn);
    }
  }

  private look(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.last);
    this.last = now;
    if (utilization > FULL) this.limit = Math.max(LEAST, Math.floor(Math.min(this.limit, this.running) * SHRINKAGE));
    else if (utilization < IDLE) this.limit = Math.min(MOST, Math.ceil(this.limit * GROWTH));
    this.begin();
  }
}
