import type { LinkTokenRecord, LinkTokenStore } from '../ports/link-tokens.ts';
import { recordFrom } from '../ports/stores.ts';
import { lifeOf, type RedisConnection, script } from './connection.ts';
import { keyOf } from './keys.ts';
import type { Memberships } from './membership.ts';

// A hash: r record as JSON, p purpose, e expiry, a account.
const PUT = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

// ARGV: purpose, now, '1' to spend.
const READ = `
local token = redis.call('HMGET', KEYS[1], 'r', 'p', 'e')
if not token[1] or token[2] ~= ARGV[1] or tonumber(token[3]) <= tonumber(ARGV[2]) then return nil end
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
return token[1]`;

// ARGV: account, '1' where the purpose matters, purpose.
const REMOVE_IF_OF_ACCOUNT = `
local token = redis.call('HMGET', KEYS[1], 'a', 'p')
if token[1] ~= ARGV[1] or (ARGV[2] == '1' and token[2] ~= ARGV[3]) then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Stored keys keep their first spelling. */
const linkTokenKey = (hash: string) => keyOf('ticket', hash);
const accountKey = (accountId: string) => keyOf('tickets-of', accountId);

export function createLinkTokenStore(redis: RedisConnection, memberships: Memberships): LinkTokenStore {
  const put = script<number>(redis, 'porticoLinkTokenPut', PUT);
  const read = script<string | null>(redis, 'porticoLinkTokenRead', READ);
  const removeIfOfAccount = script<number>(redis, 'porticoLinkTokenRemoveIfOfAccount', REMOVE_IF_OF_ACCOUNT);
  return {
    async put(hash, linkToken) {
      const { purpose, accountId, expiresAt } = linkToken;
      const fields = ['r', JSON.stringify(linkToken), 'p', purpose, 'e', expiresAt.getTime()];
      if (accountId !== undefined) {
        await memberships.add(accountKey(accountId), linkTokenKey(hash), expiresAt);
        fields.push('a', accountId);
      }
      await put([linkTokenKey(hash)], [lifeOf(expiresAt), ...fields]);
    },
    read: async (hash, purpose, now) =>
      linkTokenOf(await read([linkTokenKey(hash)], [purpose, now.getTime(), '0'])),
    spend: async (hash, purpose, now) =>
      linkTokenOf(await read([linkTokenKey(hash)], [purpose, now.getTime(), '1'])),
    async removeByAccount(accountId, purpose) {
      const members = await memberships.members(accountKey(accountId));
      const values = [accountId, purpose === undefined ? '0' : '1', purpose ?? ''];
      await Promise.all(members.map((member) => removeIfOfAccount([member], values)));
    },
  };
}

function linkTokenOf(text: string | null): LinkTokenRecord | undefined {
  return text === null ? undefined : recordFrom<LinkTokenRecord>(text, ['createdAt', 'expiresAt']);
}
