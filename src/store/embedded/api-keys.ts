import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { ApiKeyStore } from '../ports/api-keys.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { add, dateOf, find, list, remove, type Table } from './sqlite/table.ts';

interface ApiKeyRow {
  readonly record: string;
  readonly last_used_at: number | null;
}

export const API_KEYS: Table<ApiKeyRow, ApiKeyRecord> = {
  name: 'api_keys',
  key: ['id'],
  recordOf: (row) =>
    recordFrom<ApiKeyRecord>(row.record, ['createdAt', 'expiresAt'], {
      lastUsedAt: dateOf(row.last_used_at),
    }),
};

const OLDEST_FIRST = { order: 'created_at, rowid' };

export function createApiKeyStore(database: Database): ApiKeyStore {
  return {
    insert: (key, limit) => database.write((sql) => insert(sql, key, limit)),
    byHash: (keyHash) => database.read((sql) => find(sql, API_KEYS, { key_hash: keyHash })),
    byId: (id) => database.read((sql) => find(sql, API_KEYS, { id })),
    listByAccount: (accountId) =>
      database.read((sql) => list(sql, API_KEYS, { account_id: accountId }, OLDEST_FIRST)),
    listByOrganization: (organization) =>
      database.read((sql) => list(sql, API_KEYS, { organization }, OLDEST_FIRST)),
    async touch(id, at) {
      await database.write((sql) => sql.run('UPDATE api_keys SET last_used_at = ? WHERE id = ?', at, id));
    },
    remove: (id, accountId) =>
      database.write((sql) => remove(sql, 'api_keys', defined({ id, account_id: accountId })) === 1),
    removeByAccount: (accountId) =>
      database.write((sql) => remove(sql, 'api_keys', { account_id: accountId })),
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
  const added = add(sql, 'api_keys', {
    id: key.id,
    key_hash: key.keyHash,
    organization: key.organization,
    account_id: key.accountId,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt,
    record: JSON.stringify(key),
  });
  return added ? 'inserted' : 'taken';
}
