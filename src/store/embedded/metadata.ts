import type { MetadataStore } from '../ports/metadata.ts';
import type { Database } from './sqlite/database.ts';

export function createMetadataStore(database: Database): MetadataStore {
  return {
    get: (name) =>
      database.read(
        (sql) => sql.get<{ value: string }>('SELECT value FROM metadata WHERE name = ?', name)?.value,
      ),
    set: (name, value) =>
      database.write((sql) => {
        sql.run('INSERT OR REPLACE INTO metadata (name, value) VALUES (?, ?)', name, value);
      }),
    setOnce: (name, value) =>
      database.write(
        (sql) =>
          sql.run('INSERT INTO metadata (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING', name, value) ===
          1,
      ),
  };
}
