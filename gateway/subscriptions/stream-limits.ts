import { ClientError } from '../../schema/errors.ts';
import { READ_MS } from './outbox.ts';

/** How much may be held open. */
export interface StreamLimits {
  /** Sockets from one address. */
  socketsPerAddress: number;
  /** Sockets of one user. */
  socketsPerUser: number;
  /** Streams of one user over all doors together; of one address for those nobody signed in for. */
  streamsPerUser: number;
  /** Streams of one socket. */
  streamsPerSocket: number;
  /** Queries and mutations of one socket that run at once. */
  runningPerSocket: number;
  /** How long a reader may take nothing while something waits for it, milliseconds. */
  readMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  socketsPerAddress: 512,
  socketsPerUser: 32,
  streamsPerUser: 256,
  streamsPerSocket: 100,
  runningPerSocket: 50,
  readMs: READ_MS,
};

/** Counts what is held by key. */
export class Places {
  private readonly taken = new Map<string, number>();
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  /** Takes a place; answers how to give it back, undefined when none is free. */
  take(key: string): (() => void) | undefined {
    const taken = this.taken.get(key) ?? 0;
    if (taken >= this.most) return undefined;
    this.taken.set(key, taken + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.taken.get(key) ?? 1) - 1;
      if (left === 0) this.taken.delete(key);
      else this.taken.set(key, left);
    };
  }
}

export const tooMany = (sentence: string) => new ClientError('RATE_LIMITED', sentence);
