import type { Bucket, RateEngine } from './rates.ts';

/** Buckets remembered; the ones untouched for longest go first, and they are the fullest. */
const MAX_BUCKETS = 100_000;

/** Buckets in this process: what one gateway alone needs, and several fall back to. */
export function ratesInMemory(): RateEngine {
  const held = new Map<string, { level: number; at: number }>();
  const levelOf = ({ key, capacity, perSecond }: Bucket, now: number): number => {
    const bucket = held.get(key);
    return bucket ? Math.min(capacity, bucket.level + ((now - bucket.at) / 1_000) * perSecond) : capacity;
  };
  return {
    async take(buckets, cost, isForced) {
      const now = performance.now();
      const levels = buckets.map((bucket) => levelOf(bucket, now));
      const isTaken = isForced || levels.every((level) => level >= cost);
      if (!isTaken) return { isTaken, levels };
      const left = levels.map((level, i) => Math.max(-(buckets[i] as Bucket).capacity, level - cost));
      buckets.forEach(({ key }, i) => {
        held.delete(key); // to stand last
        held.set(key, { level: left[i] as number, at: now });
      });
      for (const oldest of held.keys()) {
        if (held.size <= MAX_BUCKETS) break;
        held.delete(oldest);
      }
      return { isTaken, levels: left };
    },
    close: () => undefined,
  };
}
