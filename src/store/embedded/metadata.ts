import type { FactStore } from '../ports/metadata.ts';
import type { Database } from './sqlite/database.ts';

export function createFactStore(database: Database): FactStore {
  return {
    get: (name) =>
      database.read(
        (sql) => sql.get<{ value: string }>('SELECT value FROM facts WHERE name = ?', name)?.value,
      ),
    set: (name, value) =>
      database.write((sql) => {
        sql.run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, value);
      }),
    setOnce: (name, value) =>
      database.write(
        (sql) =>
          sql.run('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING', name, value) === 1,
      ),
  };
}
