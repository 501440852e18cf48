import type { LeaseState, LeaseStore } from '../ports/leases.ts';
import type { Database } from './sqlite/database.ts';

interface LeaseRow {
  readonly encrypted: string | null;
  readonly at: number | null;
}

export function createLeaseStore(database: Database): LeaseStore {
  return {
    acquire: (key, owner, now, until) =>
      database.write(
        (sql) =>
          sql.run(
            `INSERT INTO leases (key, owner, expires_at) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE
               SET owner = excluded.owner, expires_at = excluded.expires_at, encrypted = NULL, at = NULL
               WHERE leases.expires_at <= ?`,
            key,
            owner,
            until.getTime(),
            now.getTime(),
          ) === 1,
      ),
    complete: (key, owner, result) =>
      database.write(
        (sql) =>
          // An expired lease is not held any more, even if no other caller has taken it.
          sql.run(
            `UPDATE leases SET encrypted = ?, at = ?, expires_at = ?
             WHERE key = ? AND owner = ? AND encrypted IS NULL AND expires_at > ?`,
            result.encrypted,
            result.at.getTime(),
            result.until.getTime(),
            key,
            owner,
            result.at.getTime(),
          ) === 1,
      ),
    read: (key, now) =>
      database.read((sql): LeaseState => {
        const row = sql.get<LeaseRow>(
          'SELECT encrypted, at FROM leases WHERE key = ? AND expires_at > ?',
          key,
          now.getTime(),
        );
        if (!row) return 'free';
        return row.encrypted === null || row.at === null
          ? 'claimed'
          : { encrypted: row.encrypted, at: new Date(row.at) };
      }),
    release: (key, owner) =>
      database.write((sql) => {
        sql.run('DELETE FROM leases WHERE key = ? AND owner = ? AND encrypted IS NULL', key, owner);
      }),
    forget: (key) =>
      database.write((sql) => {
        sql.run('DELETE FROM leases WHERE key = ?', key);
      }),
  };
}
