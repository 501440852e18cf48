import type { ClaimState, ClaimStore } from '../ports/leases.ts';
import type { Database } from './sqlite/database.ts';

interface ClaimRow {
  readonly sealed: string | null;
  readonly at: number | null;
}

export function createClaimStore(database: Database): ClaimStore {
  return {
    claim: (key, owner, now, until) =>
      database.write(
        (sql) =>
          sql.run(
            `INSERT INTO claims (key, owner, expires_at) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE
               SET owner = excluded.owner, expires_at = excluded.expires_at, sealed = NULL, at = NULL
               WHERE claims.expires_at <= ?`,
            key,
            owner,
            until.getTime(),
            now.getTime(),
          ) === 1,
      ),
    settle: (key, owner, result) =>
      database.write(
        (sql) =>
          // A claim that ran out is not held any more, even while nobody else took it.
          sql.run(
            `UPDATE claims SET sealed = ?, at = ?, expires_at = ?
             WHERE key = ? AND owner = ? AND sealed IS NULL AND expires_at > ?`,
            result.sealed,
            result.at.getTime(),
            result.until.getTime(),
            key,
            owner,
            result.at.getTime(),
          ) === 1,
      ),
    read: (key, now) =>
      database.read((sql): ClaimState => {
        const row = sql.get<ClaimRow>(
          'SELECT sealed, at FROM claims WHERE key = ? AND expires_at > ?',
          key,
          now.getTime(),
        );
        if (!row) return 'free';
        return row.sealed === null || row.at === null
          ? 'claimed'
          : { sealed: row.sealed, at: new Date(row.at) };
      }),
    release: (key, owner) =>
      database.write((sql) => {
        sql.run('DELETE FROM claims WHERE key = ? AND owner = ? AND sealed IS NULL', key, owner);
      }),
    forget: (key) =>
      database.write((sql) => {
        sql.run('DELETE FROM claims WHERE key = ?', key);
      }),
  };
}
