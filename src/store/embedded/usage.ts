import type { UsageDay, UsageStore } from '../ports/usage.ts';
import type { Database } from './sqlite/database.ts';
import { find, put, type Table } from './sqlite/table.ts';

export const USAGE: Table<UsageDay, UsageDay> = {
  name: 'usage',
  key: ['day', 'dialect'],
  recordOf: ({ day, dialect, tallies }) => ({ day, dialect, tallies }),
};

export function createUsageStore(database: Database): UsageStore {
  return {
    change: (day, dialect, next) =>
      database.write(
        (sql) => {
          const tallies = next(find(sql, USAGE, { day, dialect })?.tallies);
          put(sql, USAGE, { day, dialect, tallies });
        },
        // No reply waits for it.
        { passing: true },
      ),
    since: (day) =>
      database.read((sql) =>
        sql
          .all<UsageDay>('SELECT * FROM usage WHERE day >= ? ORDER BY day, dialect', day)
          .map(USAGE.recordOf),
      ),
    removeBefore: (day) => database.write((sql) => sql.run('DELETE FROM usage WHERE day < ?', day)),
  };
}
