import { SKEW_S } from './trust.ts';

export interface Clock {
  /** Milliseconds since 1970, as the machine has them: they may be set back. */
  now(): number;
  /** Milliseconds since some fixed instant: they never go back while the process runs. */
  uptime(): number;
}

export const MACHINE_CLOCK: Clock = { now: () => Date.now(), uptime: () => performance.now() };

/**
 * Time as far as it is to be believed. A clock more than 5 minutes behind the highest time ever seen is not: that highest
 * time goes on instead, as fast as the process runs, so that a clock held back stops nothing from ending.
 */
export class BelievedTime {
  private readonly clock: Clock;
  private highest = 0;
  private seenAt = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.seenAt = clock.uptime();
  }

  /** Takes over a time that was seen before this process began, milliseconds since 1970. */
  remember(highest: number): void {
    if (highest <= this.floor()) return;
    this.highest = highest;
    this.seenAt = this.clock.uptime();
  }

  read(): { now: number; isBehind: boolean } {
    const [wall, floor] = [this.clock.now(), this.floor()];
    if (!(wall >= floor - SKEW_S * 1_000)) return { now: floor, isBehind: true };
    if (wall > floor) {
      this.highest = wall;
      this.seenAt = this.clock.uptime();
    }
    return { now: wall, isBehind: false };
  }

  /** It cannot be earlier than this. */
  floor(): number {
    return this.highest + Math.max(0, this.clock.uptime() - this.seenAt);
  }
}
