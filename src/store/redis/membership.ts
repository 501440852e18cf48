import { KEPT_AFTER_EXPIRY, lifeOf, type RedisConnection, script } from './connection.ts';

/**
 * Which records hang on a grant or an account: a sorted set of their keys, scored by expiry and trimmed
 * at each write. It lies in another slot of a cluster than its records, so the two are not written in one
 * step. The set is therefore written first: every record that exists is in it, and a reader checks for each
 * record whether it still belongs there.
 */
export interface Memberships {
  add(set: string, member: string, expiresAt: Date | undefined): Promise<void>;
  members(set: string): Promise<string[]>;
  drop(set: string, members: readonly string[]): Promise<void>;
}

// KEYS[1] set; ARGV: member, score, life in ms ('' = for ever), score up to which members are past.
const ADD = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
local isNew = redis.call('EXISTS', KEYS[1]) == 0
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[1])
elseif isNew then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
end
return 1`;

export function createMemberships(redis: RedisConnection): Memberships {
  const add = script<number>(redis, 'porticoMembershipAdd', ADD);
  return {
    async add(set, member, expiresAt) {
      const past = Date.now() - KEPT_AFTER_EXPIRY;
      await add(
        [set],
        expiresAt === undefined
          ? [member, '+inf', '', past]
          : [member, expiresAt.getTime(), lifeOf(expiresAt), past],
      );
    },
    members: (set) => redis.zrange(set, '0', '-1'),
    async drop(set, members) {
      if (members.length > 0) await redis.zrem(set, ...members);
    },
  };
}
