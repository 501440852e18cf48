import type { LinkTokenRecord, LinkTokenStore } from '../ports/link-tokens.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Database } from './sqlite/database.ts';
import { find, LIVE, put, type RecordRow, remove, type Table } from './sqlite/table.ts';

export const LINK_TOKENS: Table<RecordRow, LinkTokenRecord> = {
  name: 'link_tokens',
  key: ['hash'],
  live: LIVE,
  recordOf: ({ record }) => recordFrom(record, ['createdAt', 'expiresAt']),
};

export function createLinkTokenStore(database: Database): LinkTokenStore {
  return {
    put: (hash, linkToken) =>
      database.write((sql) => {
        const { purpose, accountId, expiresAt } = linkToken;
        const row = { hash, purpose, account_id: accountId, expires_at: expiresAt };
        put(sql, LINK_TOKENS, { ...row, record: JSON.stringify(linkToken) });
      }),
    read: (hash, purpose, now) => database.read((sql) => find(sql, LINK_TOKENS, { hash, purpose }, now)),
    spend: (hash, purpose, now) =>
      database.write((sql) => {
        const text =
          'DELETE FROM link_tokens WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING record';
        const row = sql.get<RecordRow>(text, hash, purpose, now);
        return row && LINK_TOKENS.recordOf(row);
      }),
    async removeByAccount(accountId, purpose) {
      await database.write((sql) => remove(sql, 'link_tokens', defined({ account_id: accountId, purpose })));
    },
  };
}
