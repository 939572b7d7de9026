/** Operations that may run at once, before anything was learnt. */
const FIRST_LIMIT = 32;
/** However slow everything has become, so many may run; and however fast it is, no more than so many. */
export const MIN_LIMIT = 6;
export const MAX_LIMIT = 256;
/** The limit is set anew when this time has passed, milliseconds, and enough operations have ended to learn from. */
export const WINDOW_MS = 250;
export const TELLING_OPERATIONS = 20;
/** Operations of a window whose duration is kept; a longer window says no more. */
const MAX_SAMPLES = 512;
/** When half of the operations take this many times as long as they do at rest, more at once are only slower. */
const TOO_SLOW = 3;
const GROWTH = 1.1;
const SHRINKAGE = 0.85;
/** How fast it is believed that operations take longer at rest than they did, by each window in which little ran. */
const LEARNING = 0.05;
/** At the least limit nothing faster is to be had: what counts as rest drifts towards what is seen, by this factor. */
const DRIFT = 1.05;

/**
 * How many operations run best at once. It grows while operations queue and take about as long as at rest, and shrinks when
 * they take several times as long: whatever they wait for then, be it the processor, a pool or a subgraph, is full. It looks
 * at the median, so that a few that hang, which hold places and use nothing, make it grow rather than shrink.
 */
export class AdaptiveLimit {
  private limit = FIRST_LIMIT;
  private atRestMs: number | undefined;
  private samples: number[] = [];
  private windowFrom: number;
  private wasFull = false;
  private most = 0;
  private seenMs = 10;

  /** @param now a clock that never runs back, milliseconds. */
  constructor(now: number) {
    this.windowFrom = now;
  }

  get current(): number {
    return this.limit;
  }

  /** How long half of the operations took lately, milliseconds. */
  get typicalMs(): number {
    return this.seenMs;
  }

  /** Somebody had to wait because of the limit. */
  full(): void {
    this.wasFull = true;
  }

  /** An operation began, as one of so many. */
  began(running: number): void {
    if (running > this.most) this.most = running;
  }

  /** An operation ended. */
  ended(durationMs: number, now: number): void {
    if (this.samples.length < MAX_SAMPLES) this.samples.push(durationMs);
    if (now - this.windowFrom >= WINDOW_MS && this.samples.length >= TELLING_OPERATIONS) this.learn(now);
  }

  private learn(now: number): void {
    const sorted = this.samples.sort((a, b) => a - b);
    const median = Math.max(0.1, sorted[sorted.length >> 1] as number);
    this.seenMs = median;
    if (this.wasFull) this.adjust(median);
    else this.rest(median);
    this.samples = [];
    this.windowFrom = now;
    this.wasFull = false;
    this.most = 0;
  }

  private rest(median: number): void {
    if (this.atRestMs === undefined || median < this.atRestMs) this.atRestMs = median;
    else if (this.most <= MIN_LIMIT) this.atRestMs += (median - this.atRestMs) * LEARNING;
  }

  private adjust(median: number): void {
    this.atRestMs ??= median / TOO_SLOW; // it was never seen at rest
    if (median < this.atRestMs * TOO_SLOW) this.limit = Math.min(MAX_LIMIT, Math.ceil(this.limit * GROWTH));
    else if (this.limit > MIN_LIMIT) this.limit = Math.max(MIN_LIMIT, Math.floor(this.limit * SHRINKAGE));
    else this.atRestMs *= DRIFT;
  }
}
