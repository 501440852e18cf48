import type { PresenceRecord, PresenceStore } from '../ports/presence.ts';
import type { Database } from './sqlite/database.ts';
import { find, LIVE, put, remove, type Table } from './sqlite/table.ts';

export interface PresenceRow {
  readonly account_id: string;
  readonly last_seen_at: number;
  readonly expires_at: number;
}

export const PRESENCE: Table<PresenceRow, PresenceRecord> = {
  name: 'presence',
  key: ['account_id'],
  live: LIVE,
  recordOf: (row) => ({ lastSeenAt: new Date(row.last_seen_at), until: new Date(row.expires_at) }),
};

export function createPresenceStore(database: Database): PresenceStore {
  return {
    put: (accountId, { lastSeenAt, until }) =>
      database.write((sql) =>
        put(sql, PRESENCE, { account_id: accountId, last_seen_at: lastSeenAt, expires_at: until }),
      ),
    read: (accountId, now) => database.read((sql) => find(sql, PRESENCE, { account_id: accountId }, now)),
    async remove(accountId) {
      await database.write((sql) => remove(sql, 'presence', { account_id: accountId }));
    },
  };
}
