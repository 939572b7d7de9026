import { Redis } from 'ioredis';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { RateEngine, Taken } from './rates.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** An answer that takes longer is not waited for, milliseconds. */
const PATIENCE_MS = 250;
/** How long Redis is left alone after it did not answer, milliseconds. */
const REST_MS = 1_000;

/**
 * Takes a cost out of every bucket, or out of none if one of them holds too little; Redis's clock counts. A bucket is
 * `level at`, forgotten when it would be full again. KEYS: the buckets. ARGV: the cost, whether it is taken in any case,
 * then capacity and refill per second of each. Returns whether it was taken, then what each bucket holds.
 */
const TAKE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local cost, forced = tonumber(ARGV[1]), ARGV[2] == '1'
local levels, taken = {}, true
for i, key in ipairs(KEYS) do
  local capacity, rate = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local level, at = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
  levels[i] = level and math.min(capacity, tonumber(level) + math.max(0, now - tonumber(at)) / 1000 * rate) or capacity
  if levels[i] < cost then taken = false end
end
if taken or forced then
  taken = true
  for i, key in ipairs(KEYS) do
    local capacity, rate = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    levels[i] = math.max(-capacity, levels[i] - cost)
    local full = math.ceil((capacity - levels[i]) / rate * 1000)
    redis.call('SET', key, string.format('%.3f %d', levels[i], now), 'PX', math.max(1, full))
  end
end
local answer = { taken and 1 or 0 }
for i, level in ipairs(levels) do answer[i + 1] = string.format('%.3f', level) end
return answer
`;

interface RateRedis extends Redis {
  takeCost(keys: number, ...args: (string | number)[]): Promise<[0 | 1, ...string[]]>;
}

/**
 * Buckets that replicas share, all of an operation's in one round trip. While Redis is away each gateway counts in its own
 * memory, so that nobody goes without a limit and nobody without an answer.
 */
export function ratesInRedis(url: string, fallBack: RateEngine, log: Logger): RateEngine {
  const redis = new Redis(url, {
    connectionName: 'dotmac_rates',
    connectTimeout: 2_000,
    commandTimeout: PATIENCE_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (times - 1)),
  }) as RateRedis;
  redis.defineCommand('takeCost', { lua: TAKE });
  redis.on('error', () => undefined); // what is asked meanwhile says so itself
  let restsUntil = 0;
  let isAway = false;
  const away = (error: Error): void => {
    restsUntil = performance.now() + REST_MS;
    if (!isAway) log.warn({ error: error.message }, 'redis is away; rates are counted in this process alone');
    isAway = true;
  };
  const back = (): void => {
    if (isAway) log.info('redis is back; rates are shared again');
    isAway = false;
  };
  return {
    async take(buckets, cost, isForced): Promise<Taken> {
      if (redis.status !== 'ready' || performance.now() < restsUntil) {
        if (redis.status !== 'ready' && redis.status !== 'connecting')
          away(new Error(`The connection is ${redis.status}.`));
        return fallBack.take(buckets, cost, isForced);
      }
      try {
        const [taken, ...levels] = await redis.takeCost(
          buckets.length,
          ...buckets.map(({ key }) => `dotmac:rate:${key}`),
          cost,
          isForced ? 1 : 0,
          ...buckets.flatMap(({ capacity, perSecond }) => [capacity, perSecond]),
        );
        back();
        return { isTaken: taken === 1, levels: levels.map(Number) };
      } catch (error) {
        away(error as Error);
        return fallBack.take(buckets, cost, isForced);
      }
    },
    close: () => redis.disconnect(),
  };
}
