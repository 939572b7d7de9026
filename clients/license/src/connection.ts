import type { LicenseFile, Reason } from './judge.ts';
import type { Platform } from './platform.ts';
import { NO_LICENSE, type Told } from './verdict.ts';

export const KEY_SET = '/.well-known/license-jwks.json';
export const REVOCATIONS = '/.well-known/license-revocations.jws';
/** How often keys, revocations and the age of the file are looked at, milliseconds. */
const TEND_MS = 30_000;
/** The platform counts as heard for so long after its last sign of life, milliseconds: two reconnections fit in. */
const FRESH_MS = 30_000;
/** Waits between attempts, milliseconds: doubled each time. */
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [1_000, 60_000];
const MOST_RETRY_MS = 15 * 60_000;

/** What the client does with what a connection brings. */
export interface Ears {
  file(): LicenseFile | null;
  /** Milliseconds since 1970. */
  now(): number;
  random(): number;
  learnKeys(text: string): void;
  learnRevocations(text: string): boolean;
  take(text: string): Reason | null;
  hear(told: Told): void;
  recall(): Promise<void>;
  save(): Promise<void>;
  asked(): { installationId: string | null; ttlHours: number; idempotencyKey: string };
}

/** When a file is renewed: at half its life, 10 % of that earlier or later, so that installations do not all ask at once. */
export const renewalAt = ({ iat, exp }: Pick<LicenseFile, 'iat' | 'exp'>, random: number): number =>
  (iat + ((exp - iat) / 2) * (0.9 + 0.2 * random)) * 1_000;

/** The way to the platform: follows the licence, renews the file, and hears of keys and revocations. */
export class Connection {
  private readonly platform: Platform;
  private readonly ears: Ears;
  private timer: NodeJS.Timeout | undefined;
  private following: Promise<void> = Promise.resolve();
  private tending: Promise<void> | undefined;
  private last: Told | null = null;
  private heardAt = Number.NEGATIVE_INFINITY;
  private renewal: { jws: string; at: number } | undefined;
  private failures = 0;
  private retryAt = Number.NEGATIVE_INFINITY;
  private pending: ReturnType<Ears['asked']> | undefined;
  /** Why the last attempt failed, in sentences. */
  faults: string[] = [];

  constructor(platform: Platform, ears: Ears) {
    this.platform = platform;
    this.ears = ears;
  }

  open(): void {
    this.following = this.follow();
    this.timer = setInterval(() => void this.refresh(), TEND_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    this.platform.close();
    clearInterval(this.timer);
    await Promise.allSettled([this.following, this.tending]);
    this.heardAt = Number.NEGATIVE_INFINITY;
  }

  /** What the platform says now, or null while it is not heard. */
  get told(): Told | null {
    return this.silentMs() < FRESH_MS ? this.last : null;
  }

  silentMs(): number {
    return performance.now() - this.heardAt;
  }

  /** Looks after everything once; whoever asks meanwhile waits for the same. Never rejects. */
  refresh(): Promise<void> {
    this.tending ??= this.tend().finally(() => {
      this.tending = undefined;
    });
    return this.tending;
  }

  private async tend(): Promise<void> {
    this.faults = [];
    await this.ears.recall();
    await this.learn();
    if (this.isDue()) await this.renew();
    await this.ears.save();
  }

  private async learn(): Promise<void> {
    try {
      const keySet = await this.platform.document(KEY_SET);
      if (keySet) this.ears.learnKeys(keySet.text);
      keySet?.keep();
      const list = await this.platform.document(REVOCATIONS);
      if (list && this.ears.learnRevocations(list.text)) list.keep();
    } catch (error) {
      this.fail('What is revoked cannot be read', error);
    }
  }

  /** No file, one past half its life, or one older than what was heard. */
  private isDue(): boolean {
    if (this.platform.closed.aborted || performance.now() < this.retryAt) return false;
    const file = this.ears.file();
    if (!file) return true;
    if (this.renewal?.jws !== file.jws) this.renewal = { jws: file.jws, at: renewalAt(file, this.ears.random()) };
    return this.ears.now() >= this.renewal.at || file.ver < (this.told?.version ?? 0);
  }

  /** Asks for a file; after a failure under the same key, so that a lost answer costs no epoch. */
  private async renew(): Promise<void> {
    try {
      this.pending ??= this.ears.asked();
      const jws = await this.platform.issue(this.pending);
      this.pending = undefined;
      if (this.ears.take(jws) === 'UNKNOWN_KEY') {
        await this.learn();
        this.ears.take(jws);
      }
      this.failures = this.isDue() ? this.failures + 1 : 0; // refused here, or this clock is far ahead of the platform's
    } catch (error) {
      this.failures += 1;
      this.fail('The licence file cannot be renewed', error);
    }
    if (this.failures > 0)
      this.retryAt = performance.now() + Math.min(MOST_RETRY_MS, LEAST_WAIT_MS * 2 ** Math.min(this.failures, 20));
  }

  private fail(what: string, error: unknown): void {
    this.faults.push(`${what}: ${(error as Error).message}`);
  }

  private async follow(): Promise<void> {
    const { closed } = this.platform;
    for (let wait = LEAST_WAIT_MS; !closed.aborted; ) {
      const touch = () => {
        wait = LEAST_WAIT_MS;
        this.heardAt = performance.now();
      };
      try {
        await this.platform.follow((told) => this.hear(told), touch);
      } catch {
        this.heardAt = Number.NEGATIVE_INFINITY; // it did not end, it broke off
      }
      if (closed.aborted) return;
      await pause(wait * (0.5 + this.ears.random() / 2), closed);
      wait = Math.min(MOST_WAIT_MS, wait * 2);
    }
  }

  private hear(told: Told): void {
    if (this.last && told.version < this.last.version && told.state !== NO_LICENSE) return;
    const isNews = told.version !== this.last?.version || told.state !== this.last.state;
    this.last = told;
    this.ears.hear(told);
    if (!isNews) return;
    this.retryAt = Number.NEGATIVE_INFINITY;
    this.pending = undefined;
    const before = this.tending ?? Promise.resolve();
    void before.then(() => this.refresh());
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener('abort', done);
  });
