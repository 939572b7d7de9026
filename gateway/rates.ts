import { isIPv6 } from 'node:net';
import { ClientError } from '../schema/errors.ts';
import { type Caller, principalOf } from './auth.ts';
import { LIMITS } from './limits.ts';
import { observeRateLimited } from './metrics.ts';

/** How much one caller, tenant or address may ask: a store of costs that fills up again. */
export interface Bucket {
  key: string;
  capacity: number;
  /** Cost that flows back each second. */
  perSecond: number;
}

export interface Taken {
  isTaken: boolean;
  /** What each bucket holds now. */
  levels: number[];
}

/** Where buckets are counted. Never rejects: who cannot be counted in one place is counted in another. */
export interface RateEngine {
  /**
   * Takes a cost out of every bucket, or out of none if one holds too little. What is forced is taken in any case, and a
   * bucket may come to owe as much as it can hold.
   */
  take(buckets: readonly Bucket[], cost: number, isForced: boolean): Promise<Taken>;
  close(): void;
}

/** Who is charged. */
export interface Payer {
  caller: Caller;
  address: string;
}

/** Cost per second that flows back to each. */
export interface RateSizes {
  perCaller: number;
  perTenant: number;
  perAddress: number;
}

/** The bucket of a payer that holds least, as clients see it in `extensions.cost`. */
export interface BucketReport {
  capacity: number;
  remaining: number;
  restoredPerSecond: number;
}

export interface Rates {
  /** Throws RATE_LIMITED when the payer's bucket is known to be empty: before anything is read of what it sent. */
  refuseIfEmpty(payer: Payer): void;
  /** Takes a cost, or throws RATE_LIMITED with `retryAfterMs`. */
  take(payer: Payer, cost: number): Promise<BucketReport>;
  /** Counts one operation of a key that may make only so many a second. Throws RATE_LIMITED with `retryAfterMs`. */
  takeTurn(caller: Caller): Promise<void>;
  /** Counts one return from another provider, which no client signs. Throws RATE_LIMITED with `retryAfterMs`. */
  takeReturn(address: string): Promise<void>;
  /** Charges for what was refused: to be wrong is not free. */
  charge(payer: Payer, cost: number): void;
  close(): void;
}

/** A full bucket holds what flows back in this time, and at least the dearest operation; seconds. */
const BURST_SECONDS = 10;
/** A bucket with less is as good as empty: nothing sent now is worth reading. */
const EMPTY_BELOW = 1;
/** Returns from other providers of one network: an office that signs in at nine, and then one a second. */
const RETURNS = { capacity: 60, perSecond: 1 };
/** Empty buckets remembered. */
const MAX_EMPTY = 10_000;

/** Buckets charged by cost: one per caller (signed in or by address) and one per tenant, which all its people share. */
export function createRates(engine: RateEngine, sizes: RateSizes): Rates {
  const emptyUntil = new Map<string, number>();
  const remember = (buckets: readonly Bucket[], levels: readonly number[]): void => {
    for (const [i, { key, perSecond }] of buckets.entries()) {
      const missing = EMPTY_BELOW - (levels[i] as number);
      emptyUntil.delete(key);
      if (missing <= 0) continue;
      if (emptyUntil.size >= MAX_EMPTY) emptyUntil.clear();
      emptyUntil.set(key, performance.now() + (missing / perSecond) * 1_000);
    }
  };
  return {
    refuseIfEmpty(payer) {
      if (emptyUntil.size === 0) return;
      for (const { key } of bucketsOf(payer, sizes)) {
        const waitMs = (emptyUntil.get(key) ?? 0) - performance.now();
        if (waitMs > 0) throw rateLimited(waitMs, key);
      }
    },
    async take(payer, cost) {
      const buckets = bucketsOf(payer, sizes);
      const { isTaken, levels } = await engine.take(buckets, cost, false);
      remember(buckets, levels);
      const waits = buckets.map(({ perSecond }, i) => ((cost - (levels[i] as number)) / perSecond) * 1_000);
      const longest = waits.indexOf(Math.max(...waits));
      if (!isTaken) throw rateLimited(waits[longest] as number, (buckets[longest] as Bucket).key);
      const least = levels.indexOf(Math.min(...levels));
      const { capacity, perSecond } = buckets[least] as Bucket;
      return { capacity, remaining: Math.max(0, Math.floor(levels[least] as number)), restoredPerSecond: perSecond };
    },
    async takeTurn({ keyId, requestsPerSecond: perSecond }) {
      if (!keyId || !perSecond) return;
      const turns: Bucket = { key: `turns:${keyId}`, capacity: perSecond, perSecond };
      const { isTaken, levels } = await engine.take([turns], 1, false);
      if (!isTaken) throw rateLimited(((1 - (levels[0] as number)) / perSecond) * 1_000, turns.key);
    },
    async takeReturn(address) {
      const returns: Bucket = { key: `returns:${networkOf(address)}`, ...RETURNS };
      const { isTaken, levels } = await engine.take([returns], 1, false);
      if (!isTaken) throw rateLimited(((1 - (levels[0] as number)) / RETURNS.perSecond) * 1_000, returns.key);
    },
    charge(payer, cost) {
      const buckets = bucketsOf(payer, sizes);
      void engine.take(buckets, cost, true).then(({ levels }) => remember(buckets, levels));
    },
    close: () => engine.close(),
  };
}

function bucketsOf({ caller, address }: Payer, sizes: RateSizes): Bucket[] {
  const bucket = (key: string, perSecond: number): Bucket => ({
    key,
    perSecond,
    capacity: Math.max(perSecond * BURST_SECONDS, LIMITS.cost),
  });
  const principal = principalOf(caller);
  if (!principal) return [bucket(`address:${networkOf(address)}`, sizes.perAddress)];
  const own = bucket(`user:${principal}`, sizes.perCaller);
  return caller.tenantId ? [own, bucket(`tenant:${caller.tenantId}`, sizes.perTenant)] : [own];
}

/** Whoever has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}

/** The wait is rounded up to a whole millisecond; `scope` says whose bucket is empty. */
function rateLimited(waitMs: number, key: string): ClientError {
  observeRateLimited(key.slice(0, key.indexOf(':')));
  const scope = key.startsWith('tenant:') ? 'TENANT' : 'CALLER';
  const sentence =
    scope === 'TENANT' ? 'Your organisation asks for too much at once.' : 'You ask for too much at once.';
  return new ClientError('RATE_LIMITED', `${sentence} Please try again a little later.`, {
    retryAfterMs: Math.max(1, Math.ceil(waitMs)),
    reason: scope,
  });
}
