import type { LinkTokenRecord, LinkTokenStore } from '../ports/link-tokens.ts';
import type { Database } from './sqlite/database.ts';

interface RecordRow {
  readonly record: string;
}

export function createLinkTokenStore(database: Database): LinkTokenStore {
  return {
    put: (hash, linkToken) =>
      database.write((sql) => {
        sql.run(
          'INSERT OR REPLACE INTO link_tokens (hash, purpose, account_id, expires_at, record) VALUES (?, ?, ?, ?, ?)',
          hash,
          linkToken.purpose,
          linkToken.accountId ?? null,
          linkToken.expiresAt.getTime(),
          JSON.stringify(linkToken),
        );
      }),
    read: (hash, purpose, now) =>
      database.read((sql) =>
        linkTokenOf(
          sql.get<RecordRow>(
            'SELECT record FROM link_tokens WHERE hash = ? AND purpose = ? AND expires_at > ?',
            hash,
            purpose,
            now.getTime(),
          ),
        ),
      ),
    spend: (hash, purpose, now) =>
      database.write((sql) =>
        linkTokenOf(
          sql.get<RecordRow>(
            'DELETE FROM link_tokens WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING record',
            hash,
            purpose,
            now.getTime(),
          ),
        ),
      ),
    removeByAccount: (accountId, purpose) =>
      database.write((sql) => {
        sql.run(
          'DELETE FROM link_tokens WHERE account_id = ?1 AND (?2 IS NULL OR purpose = ?2)',
          accountId,
          purpose ?? null,
        );
      }),
  };
}

function linkTokenOf(row: RecordRow | undefined): LinkTokenRecord | undefined {
  if (!row) return undefined;
  const record = JSON.parse(row.record);
  return { ...record, createdAt: new Date(record.createdAt), expiresAt: new Date(record.expiresAt) };
}
