import type { OidcRecordInput, OidcRecordStore, StoredOidcRecord } from '../ports/oidc-records.ts';
import type { Database, Sql } from './sqlite/database.ts';

export interface OidcRecordRow {
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

// consumed_at is not in the list of what a second put replaces: a late save must not un-consume.
const PUT = `
INSERT INTO oidc_records
  (kind, id, payload, expires_at, grant_id, account_id, client_id, uid, user_code, durable, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET
  payload = excluded.payload, expires_at = excluded.expires_at, grant_id = excluded.grant_id,
  account_id = excluded.account_id, client_id = excluded.client_id, uid = excluded.uid,
  user_code = excluded.user_code, durable = excluded.durable, created_at = excluded.created_at`;

export function createOidcRecordStore(database: Database): OidcRecordStore {
  const newestFirst = (sql: Sql, column: string, kind: string, value: string, now: Date) =>
    sql
      .all<OidcRecordRow>(
        `SELECT * FROM oidc_records WHERE kind = ? AND ${column} = ? AND ${LIVE} ORDER BY created_at DESC, rowid DESC`,
        kind,
        value,
        now.getTime(),
      )
      .map(oidcRecordOf);
  const list = (column: string, kind: string, value: string, now: Date) =>
    database.read((sql) => newestFirst(sql, column, kind, value, now));
  return {
    put: (kind, id, record) => database.write((sql) => put(sql, { kind, id, record })),
    putAll: (records) =>
      database.write((sql) => {
        for (const record of records) put(sql, record);
      }),
    byId: (kind, id, now) =>
      database.read((sql) => {
        const row = sql.get<OidcRecordRow>(
          `SELECT * FROM oidc_records WHERE kind = ? AND id = ? AND ${LIVE}`,
          kind,
          id,
          now.getTime(),
        );
        return row && oidcRecordOf(row);
      }),
    byUid: async (kind, uid, now) => (await list('uid', kind, uid, now))[0],
    byUserCode: async (kind, userCode, now) => (await list('user_code', kind, userCode, now))[0],
    consume: (kind, id, now) =>
      database.write(
        (sql) =>
          sql.run(
            `UPDATE oidc_records SET consumed_at = ? WHERE kind = ? AND id = ? AND consumed_at IS NULL AND ${LIVE}`,
            now.getTime(),
            kind,
            id,
            now.getTime(),
          ) === 1,
      ),
    remove: (kind, id) =>
      database.write((sql) => sql.run('DELETE FROM oidc_records WHERE kind = ? AND id = ?', kind, id) === 1),
    removeByGrant: (kind, grantId) =>
      database.write((sql) =>
        kind === undefined
          ? sql.run('DELETE FROM oidc_records WHERE grant_id = ?', grantId)
          : sql.run('DELETE FROM oidc_records WHERE grant_id = ? AND kind = ?', grantId, kind),
      ),
    listByAccount: (kind, accountId, now) => list('account_id', kind, accountId, now),
    listByGrant: (kind, grantId, now) => list('grant_id', kind, grantId, now),
  };
}

function put(sql: Sql, { kind, id, record }: OidcRecordInput): void {
  sql.run(
    PUT,
    kind,
    id,
    record.payload,
    record.expiresAt?.getTime() ?? null,
    record.grantId ?? null,
    record.accountId ?? null,
    record.clientId ?? null,
    record.uid ?? null,
    record.userCode ?? null,
    record.durable ? 1 : 0,
    record.createdAt.getTime(),
  );
}

export function oidcRecordOf(row: OidcRecordRow): StoredOidcRecord {
  return {
    id: row.id,
    payload: row.payload,
    durable: row.durable === 1,
    createdAt: new Date(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: new Date(row.expires_at) }),
    ...(row.grant_id === null ? {} : { grantId: row.grant_id }),
    ...(row.account_id === null ? {} : { accountId: row.account_id }),
    ...(row.client_id === null ? {} : { clientId: row.client_id }),
    ...(row.uid === null ? {} : { uid: row.uid }),
    ...(row.user_code === null ? {} : { userCode: row.user_code }),
    ...(row.consumed_at === null ? {} : { consumedAt: new Date(row.consumed_at) }),
  };
}
