import type { CodeStore } from '../ports.ts';
import { lifeOf, type RedisConnection, script } from './connection.ts';
import { keyOf } from './keys.ts';
import type { Memberships } from './membership.ts';

// A hash: h code hash, a account, e expiry, n tries left.
const PUT = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'h', ARGV[2], 'a', ARGV[3], 'e', ARGV[4], 'n', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

const ATTEMPT = `
local code = redis.call('HMGET', KEYS[1], 'h', 'e', 'n')
if not code[1] or tonumber(code[2]) <= tonumber(ARGV[2]) or tonumber(code[3]) <= 0 then return 'dead' end
if code[1] == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 'right'
end
redis.call('HINCRBY', KEYS[1], 'n', -1)
return 'wrong'`;

const REMOVE_IF_OF_ACCOUNT = `
if redis.call('HGET', KEYS[1], 'a') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

export function createCodeStore(redis: RedisConnection, memberships: Memberships): CodeStore {
  const put = script<number>(redis, 'porticoCodePut', 1, PUT);
  const attempt = script<'right' | 'wrong' | 'dead'>(redis, 'porticoCodeAttempt', 1, ATTEMPT);
  const removeIfOfAccount = script<number>(redis, 'porticoCodeRemoveIfOfAccount', 1, REMOVE_IF_OF_ACCOUNT);
  return {
    async put(key, code) {
      await memberships.add(accountKey(code.accountId), codeKey(key), code.expiresAt);
      const { codeHash, accountId, expiresAt, tries } = code;
      await put([codeKey(key)], [lifeOf(expiresAt), codeHash, accountId, expiresAt.getTime(), tries]);
    },
    attempt: (key, codeHash, now) => attempt([codeKey(key)], [codeHash, now.getTime()]),
    async remove(key) {
      await redis.del(codeKey(key));
    },
    async removeByAccount(accountId) {
      const members = await memberships.members(accountKey(accountId));
      await Promise.all(members.map((member) => removeIfOfAccount([member], [accountId])));
    },
  };
}

function codeKey(key: string): string {
  return keyOf('code', key);
}

function accountKey(accountId: string): string {
  return keyOf('codes-of', accountId);
}
