import type { OidcRecordRecord, OidcRecordStore, StoredOidcRecord } from '../ports/oidc-records.ts';
import { defined } from '../ports/stores.ts';
import { lifeOf, type RedisConnection, script } from './connection.ts';
import { hashOf, keyOf, startOf } from './keys.ts';
import type { Memberships } from './membership.ts';
import { countKeys, scan } from './scan.ts';

/** What a record was found by before it was replaced or removed: grant, account, uid, user code. */
type Names = (string | null)[];

// A record is a hash: p payload, i id, k kind, e expiry, g grant, a account, c client, u uid, d user code,
// t created, x consumed (all moments in milliseconds).
const NAMES = `'g', 'a', 'u', 'd'`;

// x outlives the replacement: a late save must not un-consume. ARGV[1] is the life in ms, '' for ever.
const PUT = `
local before = redis.call('HMGET', KEYS[1], ${NAMES})
local consumed = redis.call('HGET', KEYS[1], 'x')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if consumed then redis.call('HSET', KEYS[1], 'x', consumed) end
if ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return before`;

// HSET leaves the time to live as it is.
const CONSUME = `
local record = redis.call('HMGET', KEYS[1], 'k', 'e', 'x')
if not record[1] or record[3] then return 0 end
if record[2] and tonumber(record[2]) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'x', ARGV[1])
return 1`;

const REMOVE = `
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local before = redis.call('HMGET', KEYS[1], ${NAMES})
redis.call('DEL', KEYS[1])
return before`;

const REMOVE_IF_OF_GRANT = `
local before = redis.call('HMGET', KEYS[1], 'k', ${NAMES})
if before[2] ~= ARGV[1] then return nil end
redis.call('DEL', KEYS[1])
return before`;

const DROP_POINTER = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

// HSET leaves the time to live as it is. A record that ended, or that was saved anew, has another payload or none.
const REPLACE_PAYLOAD = `
if redis.call('HGET', KEYS[1], 'p') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'p', ARGV[2])
return 1`;

const recordKey = (kind: string, id: string) => keyOf('artifact', kind, id);
const grantKey = (grantId: string) => keyOf('grant', grantId);
const accountKey = (accountId: string) => keyOf('account', accountId);
const uidKey = (kind: string, uid: string) => keyOf('uid', kind, uid);
const userCodeKey = (kind: string, userCode: string) => keyOf('user-code', kind, userCode);

export function createOidcRecordStore(redis: RedisConnection, memberships: Memberships): OidcRecordStore {
  const putRecord = script<Names>(redis, 'porticoOidcRecordPut', PUT);
  const consume = script<number>(redis, 'porticoOidcRecordConsume', CONSUME);
  const remove = script<Names | null>(redis, 'porticoOidcRecordRemove', REMOVE);
  /** Answers the record's kind before its names. */
  const removeIfOfGrant = script<Names | null>(redis, 'porticoOidcRecordRemoveOfGrant', REMOVE_IF_OF_GRANT);
  const replacePayload = script<number>(redis, 'porticoOidcRecordReplacePayload', REPLACE_PAYLOAD);
  const index = createIndex(redis, memberships);
  const read = async (key: string, now: Date) => oidcRecordOf(await redis.hgetall(key), now);
  const membersOf = async (set: string, kind: string | undefined) => {
    const start = kind === undefined ? '' : memberOf(kind, '');
    return (await memberships.members(set)).filter((member) => member.startsWith(start)).map(memberKey);
  };
  const list = async (
    set: string,
    kind: string,
    now: Date,
    belongs: (oidcRecord: StoredOidcRecord) => boolean,
  ) => {
    const keys = await membersOf(set, kind);
    const records = await Promise.all(keys.map((key) => read(key, now)));
    return records
      .filter((oidcRecord) => oidcRecord !== undefined)
      .filter(belongs)
      .sort((one, two) => two.createdAt.getTime() - one.createdAt.getTime());
  };
  const pointed = async (pointer: string, now: Date) => {
    const key = await redis.get(pointer);
    return key === null ? undefined : await read(key, now);
  };
  const put = async (kind: string, id: string, oidcRecord: OidcRecordRecord) => {
    const key = recordKey(kind, id);
    await index.add(kind, key, oidcRecord);
    const life = oidcRecord.expiresAt === undefined ? '' : lifeOf(oidcRecord.expiresAt);
    const before = await putRecord([key], [life, ...fieldsOf(kind, id, oidcRecord)]);
    await index.drop(kind, key, staleNames(before, oidcRecord));
  };
  return {
    put,
    // Each record lies in a slot of its own; commands that are sent together share their round trips.
    async putAll(records) {
      await Promise.all(records.map(({ kind, id, record }) => put(kind, id, record)));
    },
    byId: (kind, id, now) => read(recordKey(kind, id), now),
    async byUid(kind, uid, now) {
      const oidcRecord = await pointed(uidKey(kind, uid), now);
      return oidcRecord?.uid === uid ? oidcRecord : undefined;
    },
    async byUserCode(kind, userCode, now) {
      const oidcRecord = await pointed(userCodeKey(kind, userCode), now);
      return oidcRecord?.userCode === userCode ? oidcRecord : undefined;
    },
    consume: async (kind, id, now) => (await consume([recordKey(kind, id)], [now.getTime()])) === 1,
    async remove(kind, id) {
      const key = recordKey(kind, id);
      const before = await remove([key], []);
      if (before) await index.drop(kind, key, before);
      return before !== null;
    },
    async removeByGrant(kind, grantId) {
      const removed = await Promise.all(
        (await membersOf(grantKey(grantId), kind)).map(async (key) => {
          const before = await removeIfOfGrant([key], [grantId]);
          // A member whose record was not there stays: its record may be about to be written.
          const [kindOfRecord, ...names] = before ?? [];
          if (kindOfRecord) await index.drop(kindOfRecord, key, names);
          return before !== null;
        }),
      );
      return removed.filter(Boolean).length;
    },
    listByAccount: (kind, accountId, now) =>
      list(accountKey(accountId), kind, now, (oidcRecord) => oidcRecord.accountId === accountId),
    listByGrant: (kind, grantId, now) =>
      list(grantKey(grantId), kind, now, (oidcRecord) => oidcRecord.grantId === grantId),
    async payloads(range) {
      const { keys, next } = await scan(redis, startOf('artifact'), range);
      const found = await Promise.all(keys.map((key) => redis.hmget(key, 'k', 'i', 'p')));
      const payloads = found.flatMap(([kind, id, payload]) =>
        kind && id && payload ? [{ kind, id, payload }] : [],
      );
      return { payloads, ...(next !== undefined && { next }) };
    },
    countPayloads: () => countKeys(redis, startOf('artifact')),
    async replacePayloads(changes) {
      await Promise.all(
        changes.map(({ kind, id, payload, before }) =>
          replacePayload([recordKey(kind, id)], [before, payload]),
        ),
      );
    },
    // Grants last: they lie in MongoDB.
    listGrantsOfClient: async () => [],
  };
}

/** The ways to a record besides its id. They are written before it; a reader asks the record itself. */
function createIndex(redis: RedisConnection, memberships: Memberships) {
  const dropPointer = script<number>(redis, 'porticoOidcRecordDropPointer', DROP_POINTER);
  return {
    async add(kind: string, key: string, oidcRecord: OidcRecordRecord): Promise<void> {
      const { grantId, accountId, uid, userCode, expiresAt } = oidcRecord;
      const enter = (set: string) => memberships.add(set, memberOf(kind, key), expiresAt);
      const point = (pointer: string) =>
        expiresAt === undefined ? redis.set(pointer, key) : redis.set(pointer, key, 'PX', lifeOf(expiresAt));
      await Promise.all([
        grantId !== undefined && enter(grantKey(grantId)),
        accountId !== undefined && enter(accountKey(accountId)),
        uid !== undefined && point(uidKey(kind, uid)),
        userCode !== undefined && point(userCodeKey(kind, userCode)),
      ]);
    },
    async drop(kind: string, key: string, [grantId, accountId, uid, userCode]: Names): Promise<void> {
      const members = [memberOf(kind, key)];
      await Promise.all([
        grantId && memberships.drop(grantKey(grantId), members),
        accountId && memberships.drop(accountKey(accountId), members),
        uid && dropPointer([uidKey(kind, uid)], [key]),
        userCode && dropPointer([userCodeKey(kind, userCode)], [key]),
      ]);
    },
  };
}

/** A member of a set: the kind's hash and the record's key, so that one kind is found without reading all. */
function memberOf(kind: string, key: string): string {
  return `${hashOf(kind).slice(0, 16)} ${key}`;
}

function memberKey(member: string): string {
  return member.slice(17);
}

/** The names a replaced record had and the new one has not; null where nothing is to be dropped. */
function staleNames(before: Names, oidcRecord: OidcRecordRecord): Names {
  const after = [oidcRecord.grantId, oidcRecord.accountId, oidcRecord.uid, oidcRecord.userCode];
  return before.map((name, index) => (name === after[index] ? null : name));
}

function fieldsOf(kind: string, id: string, oidcRecord: OidcRecordRecord): (string | number)[] {
  const { payload, createdAt, expiresAt, grantId, accountId, clientId, uid, userCode } = oidcRecord;
  const names = { g: grantId, a: accountId, c: clientId, u: uid, d: userCode };
  const fields = { k: kind, i: id, p: payload, t: createdAt.getTime(), e: expiresAt?.getTime() };
  return Object.entries(defined({ ...fields, ...names })).flat();
}

function oidcRecordOf(fields: Record<string, string>, now: Date): StoredOidcRecord | undefined {
  const { i: id, p: payload, g: grantId, a: accountId, c: clientId, u: uid, d: userCode } = fields;
  const expiresAt = dateOf(fields.e);
  if (id === undefined || payload === undefined) return undefined;
  if (expiresAt !== undefined && expiresAt <= now) return undefined;
  const names = { grantId, accountId, clientId, uid, userCode };
  const moments = { createdAt: new Date(Number(fields.t)), expiresAt, consumedAt: dateOf(fields.x) };
  return defined({ id, payload, durable: false, ...moments, ...names });
}

function dateOf(milliseconds: string | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(Number(milliseconds));
}
