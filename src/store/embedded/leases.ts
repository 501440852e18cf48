import type { LeaseRecord, LeaseStore } from '../ports/leases.ts';
import { defined } from '../ports/stores.ts';
import type { Database } from './sqlite/database.ts';
import { dateOf, find, LIVE, remove, type Table } from './sqlite/table.ts';

interface LeaseRow {
  readonly key: string;
  readonly owner: string;
  readonly expires_at: number;
  readonly encrypted: string | null;
  readonly at: number | null;
}

export const LEASES: Table<LeaseRow, LeaseRecord> = {
  name: 'leases',
  key: ['key'],
  live: LIVE,
  recordOf({ key, owner, expires_at, encrypted, at }) {
    const result = encrypted === null || at === null ? undefined : { encrypted, at: dateOf(at) };
    return defined({ key, owner, until: dateOf(expires_at), result });
  },
};

export function createLeaseStore(database: Database): LeaseStore {
  return {
    acquire: (key, owner, now, until) =>
      database.write((sql) => {
        const text = `INSERT INTO leases (key, owner, expires_at) VALUES (?, ?, ?)
          ON CONFLICT (key) DO UPDATE
            SET owner = excluded.owner, expires_at = excluded.expires_at, encrypted = NULL, at = NULL
            WHERE leases.expires_at <= ?`;
        return sql.run(text, key, owner, until, now) === 1;
      }),
    complete: (key, owner, { encrypted, at, until }) =>
      database.write((sql) => {
        // An expired lease is not held any more, even if no other caller has taken it.
        const text = `UPDATE leases SET encrypted = ?, at = ?, expires_at = ?
          WHERE key = ? AND owner = ? AND encrypted IS NULL AND expires_at > ?`;
        return sql.run(text, encrypted, at, until, key, owner, at) === 1;
      }),
    async read(key, now) {
      const lease = await database.read((sql) => find(sql, LEASES, { key }, now));
      return lease ? (lease.result ?? 'claimed') : 'free';
    },
    async release(key, owner) {
      const text = 'DELETE FROM leases WHERE key = ? AND owner = ? AND encrypted IS NULL';
      await database.write((sql) => sql.run(text, key, owner));
    },
    async forget(key) {
      await database.write((sql) => remove(sql, 'leases', { key }));
    },
  };
}
