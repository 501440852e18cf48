import type { PresenceStore } from '../ports/presence.ts';
import type { Database } from './sqlite/database.ts';

interface PresenceRow {
  readonly last_seen_at: number;
  readonly expires_at: number;
}

export function createPresenceStore(database: Database): PresenceStore {
  return {
    put: (accountId, presence) =>
      database.write((sql) => {
        sql.run(
          'INSERT OR REPLACE INTO presence (account_id, last_seen_at, expires_at) VALUES (?, ?, ?)',
          accountId,
          presence.lastSeenAt.getTime(),
          presence.until.getTime(),
        );
      }),
    read: (accountId, now) =>
      database.read((sql) => {
        const row = sql.get<PresenceRow>(
          'SELECT last_seen_at, expires_at FROM presence WHERE account_id = ? AND expires_at > ?',
          accountId,
          now.getTime(),
        );
        return row && { lastSeenAt: new Date(row.last_seen_at), until: new Date(row.expires_at) };
      }),
    remove: (accountId) =>
      database.write((sql) => {
        sql.run('DELETE FROM presence WHERE account_id = ?', accountId);
      }),
  };
}
