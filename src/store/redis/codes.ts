import type { CodeStore } from '../ports/codes.ts';
import { KEPT_CODES } from '../ports/stores.ts';
import { lifeOf, type RedisConnection, script } from './connection.ts';
import { keyOf } from './keys.ts';
import type { Memberships } from './membership.ts';

// A hash: a account, t tries that each client has; and by client (the rest of the field's name; '' in
// records of earlier versions): h code hash, e expiry, n tries left. A client that asked for no code has no h.

// ARGV: life in ms, account, asker, code hash, expiry, tries, codes kept.
const PUT = `
local asker = ARGV[3]
redis.call('HSET', KEYS[1], 'a', ARGV[2], 't', ARGV[6],
  'h' .. asker, ARGV[4], 'e' .. asker, ARGV[5], 'n' .. asker, ARGV[6])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
local others = {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name = string.sub(fields[i], 2)
  if string.sub(fields[i], 1, 1) == 'h' and name ~= asker then
    table.insert(others, { name = name, expiry = tonumber(redis.call('HGET', KEYS[1], 'e' .. name)) })
  end
end
table.sort(others, function(one, other)
  if one.expiry == other.expiry then return one.name < other.name end
  return one.expiry > other.expiry
end)
for i = tonumber(ARGV[7]), #others do
  local name = others[i].name
  redis.call('HDEL', KEYS[1], 'h' .. name, 'e' .. name, 'n' .. name)
end
return 1`;

// ARGV: client, code hash, now.
const ATTEMPT = `
local from, now = ARGV[1], tonumber(ARGV[3])
local record, fields = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do record[fields[i]] = fields[i + 1] end
local expiry, right, most = 0, false, 0
for field, hash in pairs(record) do
  if string.sub(field, 1, 1) == 'h' then
    local name = string.sub(field, 2)
    local left, ends = tonumber(record['n' .. name]), tonumber(record['e' .. name])
    if ends > now and left > 0 then
      expiry = math.max(expiry, ends)
      most = math.max(most, left)
      if hash == ARGV[2] then right = true end
    end
  end
end
local counted = tonumber(record['e' .. from] or 0) > now
local own = tonumber(counted and record['n' .. from] or record['t'] or most)
if expiry == 0 or own <= 0 then return 'dead' end
if right then
  redis.call('DEL', KEYS[1])
  return 'right'
end
redis.call('HSET', KEYS[1], 'n' .. from, own - 1)
if not counted then
  redis.call('HDEL', KEYS[1], 'h' .. from)
  redis.call('HSET', KEYS[1], 'e' .. from, string.format('%.0f', expiry))
end
return 'wrong'`;

const REMOVE_IF_OF_ACCOUNT = `
if redis.call('HGET', KEYS[1], 'a') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

const codeKey = (key: string) => keyOf('code', key);
const accountKey = (accountId: string) => keyOf('codes-of', accountId);

export function createCodeStore(redis: RedisConnection, memberships: Memberships): CodeStore {
  const put = script<number>(redis, 'porticoCodePut', PUT);
  const attempt = script<'right' | 'wrong' | 'dead'>(redis, 'porticoCodeAttempt', ATTEMPT);
  const removeIfOfAccount = script<number>(redis, 'porticoCodeRemoveIfOfAccount', REMOVE_IF_OF_ACCOUNT);
  return {
    async put(key, { asker, codeHash, accountId, expiresAt, tries }) {
      await memberships.add(accountKey(accountId), codeKey(key), expiresAt);
      const code = [lifeOf(expiresAt), accountId, asker, codeHash, expiresAt.getTime(), tries, KEPT_CODES];
      await put([codeKey(key)], code);
    },
    attempt: (key, from, codeHash, now) => attempt([codeKey(key)], [from, codeHash, now.getTime()]),
    async remove(key) {
      await redis.del(codeKey(key));
    },
    async removeByAccount(accountId) {
      const members = await memberships.members(accountKey(accountId));
      await Promise.all(members.map((member) => removeIfOfAccount([member], [accountId])));
    },
  };
}
