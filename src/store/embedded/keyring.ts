import type { KeyringStore } from '../ports/keyring.ts';
import type { Database } from './sqlite/database.ts';

export function createKeyringStore(database: Database): KeyringStore {
  return {
    read: () =>
      database.read((sql) => {
        const row = sql.get<{ version: number; encrypted: string }>(
          'SELECT version, encrypted FROM keyring WHERE id = 1',
        );
        return row && { version: row.version, encrypted: row.encrypted };
      }),
    write: (encrypted, expected) =>
      database.write((sql) => {
        const changed =
          expected === 0
            ? sql.run(
                'INSERT INTO keyring (id, version, encrypted) VALUES (1, 1, ?) ON CONFLICT DO NOTHING',
                encrypted,
              )
            : sql.run(
                'UPDATE keyring SET encrypted = ?, version = version + 1 WHERE id = 1 AND version = ?',
                encrypted,
                expected,
              );
        return changed === 1;
      }),
  };
}
