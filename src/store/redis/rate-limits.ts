import type { Budget, RateLimitStore, Taken } from '../ports/rate-limits.ts';
import { KEPT_AFTER_EXPIRY, lifeOf, type RedisConnection, script } from './connection.ts';
import { hashOf, keyOf } from './keys.ts';

/** allowed (1 or 0), count, milliseconds until there is room. */
type Reply = [number, number, number];

// slide: a sorted set of marks by moment. Room comes when so many of the oldest events have left that fewer
// than the limit remain. fixed: a hash: c count, e end of the window. A mark of '' only looks.
const COUNT = `
local function slide(key, now, limit, window, life, mark)
  local since = '(' .. (now - window)
  local count = redis.call('ZCOUNT', key, since, '+inf')
  local allowed = count < limit and 1 or 0
  if allowed == 1 and mark ~= '' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    redis.call('ZADD', key, now, mark)
    redis.call('PEXPIRE', key, life)
    count = redis.call('ZCOUNT', key, since, '+inf')
  end
  if count < limit then return {allowed, count, 0} end
  local leaving = redis.call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES', 'LIMIT', count - limit, 1)
  local wait = leaving[2] and (tonumber(leaving[2]) + window - now) or window
  return {allowed, count, wait}
end
local function fixed(key, now, limit, window, life, mark)
  local record = redis.call('HMGET', key, 'c', 'e')
  local count, ends = tonumber(record[1] or '0'), tonumber(record[2] or '0')
  local running = ends > now
  if not running then count = 0 end
  local allowed = count < limit and 1 or 0
  if allowed == 1 and mark ~= '' then
    if not running then
      ends = now + window
      running = true
    end
    count = count + 1
    redis.call('HSET', key, 'c', count, 'e', string.format('%.0f', ends))
    redis.call('PEXPIRE', key, life)
  end
  if running then return {allowed, count, ends - now} end
  return {allowed, count, allowed == 1 and 0 or window}
end
local now, limit, window, life = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local count = ARGV[1] == 'fixed' and fixed or slide
`;

// ARGV: kind, now, limit, window, life, mark.
const TAKE = `${COUNT}
return count(KEYS[1], now, limit, window, life, ARGV[6])`;

// KEYS[2]: what is in flight, as a sorted set of marks. ARGV[7]: milliseconds after which a flight is lost.
const HOLD = `${COUNT}
local charged = count(KEYS[1], now, limit, window, life, '')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[7])
if redis.call('ZCARD', KEYS[2]) + charged[2] >= limit then return charged end
redis.call('ZADD', KEYS[2], now, ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[8])
charged[4] = 1
return charged`;

const CHARGE = `${COUNT}
count(KEYS[1], now, limit, window, life, ARGV[6])
return redis.call('ZREM', KEYS[2], ARGV[6])`;

const REMEMBER = `
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if known >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const flightKey = (key: string) => keyOf('in-flight', key);
const slidingKey = (key: string) => keyOf('attempts', key);
const windowKey = (key: string) => keyOf('window', key);
const memoryKey = (key: string) => keyOf('seen', key);
const chargedKey = ({ key, kind }: Budget) => (kind === 'fixed' ? windowKey(key) : slidingKey(key));

export function createRateLimitStore(redis: RedisConnection): RateLimitStore {
  const take = script<Reply>(redis, 'porticoRateLimitTake', TAKE);
  const hold = script<[...Reply, room?: 1]>(redis, 'porticoRateLimitHold', HOLD, 2);
  const charge = script<number>(redis, 'porticoRateLimitCharge', CHARGE, 2);
  const rememberUntil = script<number>(redis, 'porticoRateLimitRemember', REMEMBER);
  const values = ({ kind, limit }: Omit<Budget, 'key'>, now: Date, mark: string) => [
    kind,
    now.getTime(),
    limit.limit,
    limit.window,
    limit.window + KEPT_AFTER_EXPIRY,
    mark === '' ? '' : hashOf(mark),
  ];
  const count = async (budget: Budget, now: Date, mark: string) =>
    taken(await take([chargedKey(budget)], values(budget, now, mark)));
  // Of one hash tag, so that one script reaches both.
  const both = (budget: Budget) => [chargedKey(budget), flightKey(budget.key)];
  const release = (budgets: readonly Budget[], mark: string) =>
    Promise.all(budgets.map(({ key }) => redis.zrem(flightKey(key), hashOf(mark))));
  const clear = (key: string) => Promise.all([redis.del(slidingKey(key)), redis.del(windowKey(key))]);
  const remember = (key: string, until: Date) =>
    rememberUntil([memoryKey(key)], [until.getTime(), lifeOf(until)]);
  return {
    async hold(budgets, { mark, lifetime }, now) {
      const ends = [lifetime, lifetime + KEPT_AFTER_EXPIRY];
      const standings = await Promise.all(
        budgets.map(async (budget) => {
          const reply = await hold(both(budget), [...values(budget, now, mark), ...ends]);
          const [allowed, charged, wait, room] = reply;
          return { room: room === 1, charged: taken([allowed, charged, wait]) };
        }),
      );
      // Budgets lie in slots of their own: those that had room give it up when another had none.
      if (standings.some(({ room }) => !room)) {
        await release(
          budgets.filter((_, at) => standings[at]?.room),
          mark,
        );
      }
      return standings;
    },
    // Sent together; each key is one step.
    async finish(mark, end, now) {
      await Promise.all([
        ...(end.charge ?? []).map((budget) => charge(both(budget), values(budget, now, mark))),
        release(end.release ?? [], mark),
        ...(end.clear ?? []).map(clear),
        end.remember && remember(end.remember.key, end.remember.until),
      ]);
    },
    take: (key, mark, limit, now) => count({ key, limit, kind: 'sliding' }, now, mark),
    peek: (key, limit, now) => count({ key, limit, kind: 'sliding' }, now, ''),
    async giveBack(key, mark) {
      await redis.zrem(slidingKey(key), hashOf(mark));
    },
    async clear(key) {
      await clear(key);
    },
    takeInWindow: (key, limit, now) => count({ key, limit, kind: 'fixed' }, now, 'counted'),
    peekWindow: (key, limit, now) => count({ key, limit, kind: 'fixed' }, now, ''),
    async remember(key, until) {
      await remember(key, until);
    },
    async rememberedUntil(key, now) {
      const until = Number(await redis.get(memoryKey(key)));
      return until > now.getTime() ? new Date(until) : undefined;
    },
  };
}

function taken([allowed, count, retryAfter]: Reply): Taken {
  return { allowed: allowed === 1, count, retryAfter };
}
