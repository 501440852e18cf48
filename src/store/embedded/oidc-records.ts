import type {
  OidcRecordInput,
  OidcRecordKind,
  OidcRecordRecord,
  OidcRecordStore,
  PayloadBatch,
  Rotation,
  StoredOidcRecord,
  StoredPayload,
} from '../ports/oidc-records.ts';
import { defined } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { type Columns, dateOf, list, putter, remove, type Table } from './sqlite/table.ts';

export interface OidcRecordRow {
  readonly kind: OidcRecordKind;
  readonly id: string;
  readonly payload: string;
  readonly expires_at: number | null;
  readonly grant_id: string | null;
  readonly account_id: string | null;
  readonly client_id: string | null;
  readonly uid: string | null;
  readonly user_code: string | null;
  readonly durable: number;
  readonly created_at: number;
  readonly consumed_at: number | null;
}

/** A record is gone at its expiry, to the millisecond. */
const LIVE = '(expires_at IS NULL OR expires_at > ?)';

const BY_ID = `SELECT * FROM oidc_records WHERE kind = ? AND id = ? AND ${LIVE}`;

export const OIDC_RECORDS: Table<OidcRecordRow, StoredOidcRecord> = {
  name: 'oidc_records',
  key: ['kind', 'id'],
  live: LIVE,
  recordOf(row) {
    const record: { -readonly [Name in keyof StoredOidcRecord]: StoredOidcRecord[Name] } = {
      id: row.id,
      payload: row.payload,
      durable: row.durable === 1,
      createdAt: dateOf(row.created_at),
    };
    if (row.expires_at !== null) record.expiresAt = dateOf(row.expires_at);
    if (row.grant_id !== null) record.grantId = row.grant_id;
    if (row.account_id !== null) record.accountId = row.account_id;
    if (row.client_id !== null) record.clientId = row.client_id;
    if (row.uid !== null) record.uid = row.uid;
    if (row.user_code !== null) record.userCode = row.user_code;
    if (row.consumed_at !== null) record.consumedAt = dateOf(row.consumed_at);
    return record;
  },
};

/** Thrown inside a write, so that it is undone. */
class NotRotated extends Error {}

export function createOidcRecordStore(database: Database): OidcRecordStore {
  const newestFirst = (columns: Columns, now: Date) =>
    database.read((sql) => list(sql, OIDC_RECORDS, columns, { now, order: 'created_at DESC, rowid DESC' }));
  return {
    put: (kind, id, record) =>
      database.write((sql) => putRecord(sql, { kind, id, record }), passingUnless(record)),
    putAll: (records) =>
      database.write(
        (sql) => {
          for (const record of records) putRecord(sql, record);
        },
        passingUnless(...records.map(({ record }) => record)),
      ),
    byId: (kind, id, now) =>
      database.read((sql) => {
        const row = sql.get<OidcRecordRow>(BY_ID, kind, id, now);
        return row && OIDC_RECORDS.recordOf(row);
      }),
    byUid: async (kind, uid, now) => (await newestFirst({ kind, uid }, now))[0],
    byUserCode: async (kind, userCode, now) => (await newestFirst({ kind, user_code: userCode }, now))[0],
    async rotate(rotation) {
      try {
        await database.write((sql) => rotate(sql, rotation));
        return true;
      } catch (error) {
        if (error instanceof NotRotated) return false;
        throw error;
      }
    },
    redeem: ({ used, successors, now }) =>
      database.write((sql) => {
        const isFirst = consumeRecord(sql, used, now);
        if (isFirst) for (const successor of successors) putRecord(sql, successor);
        return isFirst;
      }),
    consume: (kind, id, now) => database.write((sql) => consumeRecord(sql, { kind, id }, now)),
    remove: (kind, id) => database.write((sql) => remove(sql, 'oidc_records', { kind, id }) === 1),
    removeByGrant: (kind, grantId) =>
      database.write((sql) => remove(sql, 'oidc_records', defined({ grant_id: grantId, kind }))),
    listByAccount: (kind, accountId, now) => newestFirst({ kind, account_id: accountId }, now),
    listByGrant: (kind, grantId, now) => newestFirst({ kind, grant_id: grantId }, now),
    payloads: (range) => database.read((sql) => payloads(sql, range)),
    countPayloads: () =>
      database.read(
        (sql) => sql.get<{ count: number }>('SELECT count(*) AS count FROM oidc_records')?.count ?? 0,
      ),
    replacePayloads: (changes) =>
      database.write(
        (sql) => {
          const text = 'UPDATE oidc_records SET payload = ? WHERE kind = ? AND id = ? AND payload = ?';
          for (const { kind, id, payload, before } of changes) sql.run(text, payload, kind, id, before);
        },
        // Lost in a power cut it is done again: the word that it is done is flushed, and comes after it.
        { passing: true },
      ),
    listGrantsOfClient: (clientId, limit, now) =>
      database.read((sql) => {
        // The kind stands in the text, as in the index, which holds grants alone.
        const text = `SELECT * FROM oidc_records WHERE kind = 'Grant' AND client_id = ? AND ${LIVE} LIMIT ?`;
        return sql.all<OidcRecordRow>(text, clientId, now, limit).map(OIDC_RECORDS.recordOf);
      }),
  };
}

/**
 * In the order in which the rows lie: in that of their keys each would be on another page. VACUUM lays them anew and
 * counts the schema's version up; then the walk begins again.
 */
function payloads(sql: Sql, { after, limit }: { after?: string | undefined; limit: number }): PayloadBatch {
  const version = sql.get<{ schema_version: number }>('PRAGMA schema_version')?.schema_version ?? 0;
  const [of, rowid] = after?.split(' ').map(Number) ?? [];
  const text = 'SELECT rowid, kind, id, payload FROM oidc_records WHERE rowid > ? ORDER BY rowid LIMIT ?';
  const rows = sql.all<StoredPayload & { rowid: number }>(text, of === version ? rowid : 0, limit);
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    payloads: rows.map(({ rowid: _place, ...stored }) => stored),
    ...(last && { next: `${version} ${last.rowid}` }),
  };
}

/** A power cut may forget what was begun in the second before it; that something was ended or used up, never. */
function passingUnless(...records: readonly Pick<OidcRecordRecord, 'durable'>[]) {
  return { passing: !records.some(({ durable }) => durable) };
}

function rotate(sql: Sql, { used, successors, lease }: Rotation): void {
  const { key, owner, encrypted, at, until } = lease;
  const text = `INSERT INTO leases (key, owner, expires_at, encrypted, at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
      SET owner = excluded.owner, expires_at = excluded.expires_at, encrypted = excluded.encrypted, at = excluded.at
      WHERE leases.expires_at <= ?`;
  const isFree = sql.run(text, key, owner, until, encrypted, at, at) === 1;
  if (!isFree || !consumeRecord(sql, used, at)) throw new NotRotated();
  for (const successor of successors) putRecord(sql, successor);
}

function consumeRecord(sql: Sql, { kind, id }: Pick<OidcRecordInput, 'kind' | 'id'>, now: Date): boolean {
  const text = `UPDATE oidc_records SET consumed_at = ?
    WHERE kind = ? AND id = ? AND consumed_at IS NULL AND ${LIVE}`;
  return sql.run(text, now, kind, id, now) === 1;
}

/** consumed_at is not among them: a second put must not un-consume. */
const putRow = putter(OIDC_RECORDS, [
  ...(['kind', 'id', 'payload', 'expires_at', 'grant_id', 'account_id'] as const),
  ...(['client_id', 'uid', 'user_code', 'durable', 'created_at'] as const),
]);

function putRecord(sql: Sql, { kind, id, record }: OidcRecordInput): void {
  putRow(sql, {
    kind,
    id,
    payload: record.payload,
    expires_at: record.expiresAt,
    grant_id: record.grantId,
    account_id: record.accountId,
    client_id: record.clientId,
    uid: record.uid,
    user_code: record.userCode,
    durable: record.durable,
    created_at: record.createdAt,
  });
}
