import type { LeaseStore } from '../ports/leases.ts';
import { lifeOf, type RedisConnection, script } from './connection.ts';
import { keyOf } from './keys.ts';

// A hash: o owner, e end, s encrypted result, t its moment.
const ACQUIRE = `
local ends = tonumber(redis.call('HGET', KEYS[1], 'e') or '0')
if ends > tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'o', ARGV[1], 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;

// An expired lease is not held any more, even if no other caller has taken it.
const COMPLETE = `
local lease = redis.call('HMGET', KEYS[1], 'o', 'e', 's')
if lease[1] ~= ARGV[1] or lease[3] or tonumber(lease[2]) <= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2], 't', ARGV[3], 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1`;

const RELEASE = `
local lease = redis.call('HMGET', KEYS[1], 'o', 's')
if lease[1] ~= ARGV[1] or lease[2] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Stored keys keep their first spelling. */
const leaseKey = (key: string) => keyOf('claim', key);

export function createLeaseStore(redis: RedisConnection): LeaseStore {
  const acquire = script<number>(redis, 'porticoLeaseAcquire', ACQUIRE);
  const complete = script<number>(redis, 'porticoLeaseComplete', COMPLETE);
  const release = script<number>(redis, 'porticoLeaseRelease', RELEASE);
  return {
    acquire: async (key, owner, now, until) =>
      (await acquire([leaseKey(key)], [owner, now.getTime(), until.getTime(), lifeOf(until)])) === 1,
    complete: async (key, owner, { encrypted, at, until }) =>
      (await complete([leaseKey(key)], [owner, encrypted, at.getTime(), until.getTime(), lifeOf(until)])) ===
      1,
    async read(key, now) {
      const [ends, encrypted, at] = await redis.hmget(leaseKey(key), 'e', 's', 't');
      if (!ends || Number(ends) <= now.getTime()) return 'free';
      if (encrypted === null || encrypted === undefined) return 'claimed';
      return { encrypted, at: new Date(Number(at)) };
    },
    async release(key, owner) {
      await release([leaseKey(key)], [owner]);
    },
    async forget(key) {
      await redis.del(leaseKey(key));
    },
  };
}
