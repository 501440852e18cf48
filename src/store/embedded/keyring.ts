import type { KeyringStore } from '../ports/keyring.ts';
import type { Database } from './sqlite/database.ts';

export function createKeyringStore(database: Database): KeyringStore {
  return {
    read: () =>
      database.read((sql) => {
        const row = sql.get<{ version: number; sealed: string }>(
          'SELECT version, sealed FROM keyring WHERE id = 1',
        );
        return row && { version: row.version, sealed: row.sealed };
      }),
    write: (sealed, expected) =>
      database.write((sql) => {
        const changed =
          expected === 0
            ? sql.run(
                'INSERT INTO keyring (id, version, sealed) VALUES (1, 1, ?) ON CONFLICT DO NOTHING',
                sealed,
              )
            : sql.run(
                'UPDATE keyring SET sealed = ?, version = version + 1 WHERE id = 1 AND version = ?',
                sealed,
                expected,
              );
        return changed === 1;
      }),
  };
}
