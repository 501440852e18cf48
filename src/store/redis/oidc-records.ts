import type { OidcRecordRecord, OidcRecordStore, StoredOidcRecord } from '../ports/oidc-records.ts';
import { lifeOf, type RedisConnection, type Script, script } from './connection.ts';
import { hashOf, keyOf } from './keys.ts';
import type { Memberships } from './membership.ts';

/** What a record was found by before it was replaced or removed: grant, account, uid, user code. */
type Names = (string | null)[];

interface Scripts {
  readonly put: Script<Names>;
  readonly consume: Script<number>;
  readonly remove: Script<Names | null>;
  /** The record's kind before its names. */
  readonly removeIfOfGrant: Script<Names | null>;
  readonly dropPointer: Script<number>;
}

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

export function createOidcRecordStore(redis: RedisConnection, memberships: Memberships): OidcRecordStore {
  const scripts: Scripts = {
    put: script(redis, 'porticoArtifactPut', 1, PUT),
    consume: script(redis, 'porticoArtifactConsume', 1, CONSUME),
    remove: script(redis, 'porticoArtifactRemove', 1, REMOVE),
    removeIfOfGrant: script(redis, 'porticoArtifactRemoveIfOfGrant', 1, REMOVE_IF_OF_GRANT),
    dropPointer: script(redis, 'porticoArtifactDropPointer', 1, DROP_POINTER),
  };
  const index = new OidcRecordIndex(redis, memberships, scripts.dropPointer);
  const read = async (key: string, now: Date) => oidcRecordOf(await redis.hgetall(key), now);
  const list = async (
    keys: readonly string[],
    belongs: (oidcRecord: StoredOidcRecord) => boolean,
    now: Date,
  ) => {
    const result = await Promise.all(keys.map((key) => read(key, now)));
    return result
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
    const before = await scripts.put([key], [life, ...fieldsOf(kind, id, oidcRecord)]);
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
    consume: async (kind, id, now) => (await scripts.consume([recordKey(kind, id)], [now.getTime()])) === 1,
    async remove(kind, id) {
      const key = recordKey(kind, id);
      const before = await scripts.remove([key], []);
      if (!before) return false;
      await index.drop(kind, key, before);
      return true;
    },
    async removeByGrant(kind, grantId) {
      const members = (await memberships.members(grantKey(grantId))).filter(ofKind(kind));
      const removed = await Promise.all(
        members.map(async (member) => {
          const key = memberKey(member);
          const before = await scripts.removeIfOfGrant([key], [grantId]);
          // A member whose record was not there stays: its record may be about to be written.
          const [kindOfRecord, ...names] = before ?? [];
          if (kindOfRecord) await index.drop(kindOfRecord, key, names);
          return before !== null;
        }),
      );
      return removed.filter(Boolean).length;
    },
    async listByAccount(kind, accountId, now) {
      const members = (await memberships.members(accountKey(accountId))).filter(ofKind(kind));
      return list(members.map(memberKey), (oidcRecord) => oidcRecord.accountId === accountId, now);
    },
    async listByGrant(kind, grantId, now) {
      const members = (await memberships.members(grantKey(grantId))).filter(ofKind(kind));
      return list(members.map(memberKey), (oidcRecord) => oidcRecord.grantId === grantId, now);
    },
  };
}

/** The ways to a record besides its id. They are written before it; a reader asks the record itself. */
class OidcRecordIndex {
  readonly #redis: RedisConnection;
  readonly #memberships: Memberships;
  readonly #dropPointer: Script<number>;

  constructor(redis: RedisConnection, memberships: Memberships, dropPointer: Script<number>) {
    this.#redis = redis;
    this.#memberships = memberships;
    this.#dropPointer = dropPointer;
  }

  async add(kind: string, key: string, oidcRecord: OidcRecordRecord): Promise<void> {
    const { grantId, accountId, uid, userCode, expiresAt } = oidcRecord;
    const point = (pointer: string) =>
      expiresAt === undefined
        ? this.#redis.set(pointer, key)
        : this.#redis.set(pointer, key, 'PX', lifeOf(expiresAt));
    await Promise.all([
      grantId === undefined
        ? undefined
        : this.#memberships.add(grantKey(grantId), memberOf(kind, key), expiresAt),
      accountId === undefined
        ? undefined
        : this.#memberships.add(accountKey(accountId), memberOf(kind, key), expiresAt),
      uid === undefined ? undefined : point(uidKey(kind, uid)),
      userCode === undefined ? undefined : point(userCodeKey(kind, userCode)),
    ]);
  }

  async drop(kind: string, key: string, [grantId, accountId, uid, userCode]: Names): Promise<void> {
    const member = memberOf(kind, key);
    await Promise.all([
      grantId ? this.#memberships.drop(grantKey(grantId), [member]) : undefined,
      accountId ? this.#memberships.drop(accountKey(accountId), [member]) : undefined,
      uid ? this.#dropPointer([uidKey(kind, uid)], [key]) : undefined,
      userCode ? this.#dropPointer([userCodeKey(kind, userCode)], [key]) : undefined,
    ]);
  }
}

function recordKey(kind: string, id: string): string {
  return keyOf('artifact', kind, id);
}

function grantKey(grantId: string): string {
  return keyOf('grant', grantId);
}

function accountKey(accountId: string): string {
  return keyOf('account', accountId);
}

function uidKey(kind: string, uid: string): string {
  return keyOf('uid', kind, uid);
}

function userCodeKey(kind: string, userCode: string): string {
  return keyOf('user-code', kind, userCode);
}

/** A member of a set: the kind's hash and the record's key, so that one kind is found without reading all. */
function memberOf(kind: string, key: string): string {
  return `${hashOf(kind).slice(0, 16)} ${key}`;
}

function memberKey(member: string): string {
  return member.slice(17);
}

function ofKind(kind: string | undefined): (member: string) => boolean {
  if (kind === undefined) return () => true;
  const start = `${hashOf(kind).slice(0, 16)} `;
  return (member) => member.startsWith(start);
}

/** The names a replaced record had and the new one has not; null where nothing is to be dropped. */
function staleNames(before: Names, oidcRecord: OidcRecordRecord): Names {
  const after = [oidcRecord.grantId, oidcRecord.accountId, oidcRecord.uid, oidcRecord.userCode];
  return before.map((name, index) => (name === after[index] ? null : name));
}

function fieldsOf(kind: string, id: string, oidcRecord: OidcRecordRecord): (string | number)[] {
  const { payload, createdAt, expiresAt, grantId, accountId, clientId, uid, userCode } = oidcRecord;
  const fields: [string, string | number | undefined][] = [
    ['k', kind],
    ['i', id],
    ['p', payload],
    ['t', createdAt.getTime()],
    ['e', expiresAt?.getTime()],
    ['g', grantId],
    ['a', accountId],
    ['c', clientId],
    ['u', uid],
    ['d', userCode],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

function oidcRecordOf(fields: Record<string, string>, now: Date): StoredOidcRecord | undefined {
  const {
    i: id,
    p: payload,
    t: createdAt,
    e: expiresAt,
    g: grantId,
    a: accountId,
    c: clientId,
    u: uid,
  } = fields;
  const { d: userCode, x: consumedAt } = fields;
  if (id === undefined || payload === undefined) return undefined;
  if (expiresAt !== undefined && Number(expiresAt) <= now.getTime()) return undefined;
  return {
    id,
    payload,
    durable: false,
    createdAt: new Date(Number(createdAt)),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(Number(expiresAt)) }),
    ...(consumedAt === undefined ? {} : { consumedAt: new Date(Number(consumedAt)) }),
    ...(grantId === undefined ? {} : { grantId }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(uid === undefined ? {} : { uid }),
    ...(userCode === undefined ? {} : { userCode }),
  };
}
