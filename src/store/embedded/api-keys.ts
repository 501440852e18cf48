import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { ApiKeyStore } from '../ports/api-keys.ts';
import type { Database, Sql } from './sqlite/database.ts';

export interface ApiKeyRow {
  readonly record: string;
  readonly last_used_at: number | null;
}

const COLUMNS = 'record, last_used_at';

export function createApiKeyStore(database: Database): ApiKeyStore {
  const one = (column: 'id' | 'key_hash', value: string) =>
    database.read((sql) => {
      const row = sql.get<ApiKeyRow>(`SELECT ${COLUMNS} FROM api_keys WHERE ${column} = ?`, value);
      return row && apiKeyOf(row);
    });
  const list = (column: 'account_id' | 'organization', value: string) =>
    database.read((sql) =>
      sql
        .all<ApiKeyRow>(
          `SELECT ${COLUMNS} FROM api_keys WHERE ${column} = ? ORDER BY created_at, rowid`,
          value,
        )
        .map(apiKeyOf),
    );
  return {
    insert: (key, limit) => database.write((sql) => insert(sql, key, limit)),
    byHash: (keyHash) => one('key_hash', keyHash),
    byId: (id) => one('id', id),
    listByAccount: (accountId) => list('account_id', accountId),
    listByOrganization: (organization) => list('organization', organization),
    touch: (id, at) =>
      database.write((sql) => {
        sql.run('UPDATE api_keys SET last_used_at = ? WHERE id = ?', at.getTime(), id);
      }),
    remove: (id, accountId) =>
      database.write(
        (sql) =>
          sql.run(
            'DELETE FROM api_keys WHERE id = ?1 AND (?2 IS NULL OR account_id = ?2)',
            id,
            accountId ?? null,
          ) === 1,
      ),
    removeByAccount: (accountId) =>
      database.write((sql) => sql.run('DELETE FROM api_keys WHERE account_id = ?', accountId)),
  };
}

function insert(sql: Sql, key: ApiKeyRecord, limit: number | undefined): 'inserted' | 'taken' | 'full' {
  if (limit !== undefined && key.accountId !== undefined) {
    const owned = sql.get<{ count: number }>(
      'SELECT count(*) AS count FROM api_keys WHERE account_id = ?',
      key.accountId,
    );
    if (owned && owned.count >= limit) return 'full';
  }
  const added = sql.run(
    `INSERT INTO api_keys (id, key_hash, organization, account_id, created_at, last_used_at, record)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    key.id,
    key.keyHash,
    key.organization,
    key.accountId ?? null,
    key.createdAt.getTime(),
    key.lastUsedAt?.getTime() ?? null,
    JSON.stringify(key),
  );
  return added === 1 ? 'inserted' : 'taken';
}

export function apiKeyOf(row: ApiKeyRow): ApiKeyRecord {
  const { lastUsedAt: _stale, ...record } = JSON.parse(row.record);
  return {
    ...record,
    createdAt: new Date(record.createdAt),
    ...(record.expiresAt === undefined ? {} : { expiresAt: new Date(record.expiresAt) }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: new Date(row.last_used_at) }),
  };
}
