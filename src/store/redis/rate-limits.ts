import type { Limit, RateLimitStore, Taken } from '../ports/rate-limits.ts';
import { KEPT_AFTER_EXPIRY, lifeOf, type RedisConnection, script } from './connection.ts';
import { hashOf, keyOf } from './keys.ts';

/** allowed (1 or 0), count, milliseconds until there is room. */
type Reply = [number, number, number];

// A sorted set of marks by moment. ARGV: now, limit, window, life, mark ('' only looks).
// Room comes when so many of the oldest events have left that fewer than the limit remain.
const SLIDE = `
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local since = '(' .. (now - window)
local count = redis.call('ZCOUNT', KEYS[1], since, '+inf')
local allowed = count < limit and 1 or 0
if allowed == 1 and ARGV[5] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  count = redis.call('ZCOUNT', KEYS[1], since, '+inf')
end
if count < limit then return {allowed, count, 0} end
local leaving = redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', count - limit, 1)
local wait = leaving[2] and (tonumber(leaving[2]) + window - now) or window
return {allowed, count, wait}`;

// A hash: c count, e end of the window. ARGV: now, limit, window, life, '1' to count.
const FIXED = `
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local record = redis.call('HMGET', KEYS[1], 'c', 'e')
local count, ends = tonumber(record[1] or '0'), tonumber(record[2] or '0')
local running = ends > now
if not running then count = 0 end
local allowed = count < limit and 1 or 0
if allowed == 1 and ARGV[5] == '1' then
  if not running then
    ends = now + window
    running = true
  end
  count = count + 1
  redis.call('HSET', KEYS[1], 'c', count, 'e', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
if running then return {allowed, count, ends - now} end
return {allowed, count, allowed == 1 and 0 or window}`;

const REMEMBER = `
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if known >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

export function createRateLimitStore(redis: RedisConnection): RateLimitStore {
  const slide = script<Reply>(redis, 'porticoAttemptSlide', 1, SLIDE);
  const fixed = script<Reply>(redis, 'porticoAttemptFixed', 1, FIXED);
  const remember = script<number>(redis, 'porticoAttemptRemember', 1, REMEMBER);
  const values = (limit: Limit, now: Date, last: string) => [
    now.getTime(),
    limit.limit,
    limit.window,
    limit.window + KEPT_AFTER_EXPIRY,
    last,
  ];
  return {
    take: async (key, mark, limit, now) =>
      taken(await slide([slidingKey(key)], values(limit, now, hashOf(mark)))),
    peek: async (key, limit, now) => taken(await slide([slidingKey(key)], values(limit, now, ''))),
    async giveBack(key, mark) {
      await redis.zrem(slidingKey(key), hashOf(mark));
    },
    async clear(key) {
      await Promise.all([redis.del(slidingKey(key)), redis.del(windowKey(key))]);
    },
    takeInWindow: async (key, limit, now) => taken(await fixed([windowKey(key)], values(limit, now, '1'))),
    peekWindow: async (key, limit, now) => taken(await fixed([windowKey(key)], values(limit, now, ''))),
    async remember(key, until) {
      await remember([memoryKey(key)], [until.getTime(), lifeOf(until)]);
    },
    async remembered(key, now) {
      const until = await redis.get(memoryKey(key));
      return until !== null && Number(until) > now.getTime();
    },
  };
}

function taken([allowed, count, retryAfter]: Reply): Taken {
  return { allowed: allowed === 1, count, retryAfter };
}

function slidingKey(key: string): string {
  return keyOf('attempts', key);
}

function windowKey(key: string): string {
  return keyOf('window', key);
}

function memoryKey(key: string): string {
  return keyOf('seen', key);
}
