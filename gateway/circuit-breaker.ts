/** This many failures in a row, none of them answered in between, open the circuit. */
export const FAILURES_IN_A_ROW = 5;
/** So does this share of failures, if it is seen over enough calls. */
export const FAILURE_SHARE = 0.5;
/** Fewer calls than this in a window say nothing about a share. */
export const TELLING_CALLS = 20;
/** The share is taken over the window that runs and the one before it, each this long, milliseconds. */
export const WINDOW_MS = 5_000;
/** How long nobody asks once it is open, milliseconds; then one call tries, and the others wait for what it finds. */
export const OPEN_MS = 1_000;

/** What became of one call. */
export type Outcome = 'ANSWERED' | 'FAILED' | 'LEFT';

/**
 * Keeps calls away from what does not answer, so that those who ask are told at once and what is ill can recover. Only
 * failures to answer count; an answer that says what is wrong is an answer.
 */
export class CircuitBreaker {
  private readonly now: () => number;
  private inARow = 0;
  private windowFrom = 0;
  private counted = { calls: 0, failures: 0 };
  private before = { calls: 0, failures: 0 };
  private openedAt: number | undefined;
  private isProbing = false;

  /** @param now a clock that never runs back, milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  get isOpen(): boolean {
    return this.openedAt !== undefined;
  }

  /** Whether a call may be made. Each one that may tells afterwards what became of it. */
  admit(): boolean {
    if (this.openedAt === undefined) return true;
    if (this.isProbing || this.now() - this.openedAt < OPEN_MS) return false;
    this.isProbing = true;
    return true;
  }

  /** Takes note of a call. Answers whether this opened or closed the circuit. */
  tell(outcome: Outcome): boolean {
    const wasOpen = this.isOpen;
    this.isProbing = false;
    if (outcome === 'LEFT') return false; // whoever asked went away: nothing was learnt
    if (wasOpen) {
      this.openedAt = outcome === 'ANSWERED' ? undefined : this.now();
      if (outcome === 'ANSWERED') this.forget();
      return outcome === 'ANSWERED';
    }
    this.count(outcome === 'FAILED');
    if (outcome === 'FAILED' && this.isTooMuch()) this.openedAt = this.now();
    return this.isOpen;
  }

  private count(hasFailed: boolean): void {
    const elapsed = this.now() - this.windowFrom;
    if (elapsed >= WINDOW_MS) {
      this.before = elapsed < 2 * WINDOW_MS ? this.counted : { calls: 0, failures: 0 };
      this.counted = { calls: 0, failures: 0 };
      this.windowFrom += elapsed;
    }
    this.counted.calls++;
    this.inARow = hasFailed ? this.inARow + 1 : 0;
    if (hasFailed) this.counted.failures++;
  }

  private isTooMuch(): boolean {
    const calls = this.counted.calls + this.before.calls;
    const failures = this.counted.failures + this.before.failures;
    return this.inARow >= FAILURES_IN_A_ROW || (calls >= TELLING_CALLS && failures >= calls * FAILURE_SHARE);
  }

  private forget(): void {
    this.inARow = 0;
    this.counted = { calls: 0, failures: 0 };
    this.before = { calls: 0, failures: 0 };
  }
}
