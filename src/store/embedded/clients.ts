import type { ClientRecord } from '../../model/client.ts';
import type { ClientStore } from '../ports/clients.ts';
import type { Database } from './sqlite/database.ts';

interface RecordRow {
  readonly record: string;
}

export function createClientStore(database: Database): ClientStore {
  return {
    put: (client) =>
      database.write((sql) => {
        sql.run(
          `INSERT INTO clients (client_id, record) VALUES (?, ?)
           ON CONFLICT (client_id) DO UPDATE SET record = excluded.record`,
          client.clientId,
          JSON.stringify(client),
        );
      }),
    byId: (clientId) =>
      database.read((sql): ClientRecord | undefined => {
        const row = sql.get<RecordRow>('SELECT record FROM clients WHERE client_id = ?', clientId);
        return row && JSON.parse(row.record);
      }),
    list: () =>
      database.read((sql) =>
        sql
          .all<RecordRow>('SELECT record FROM clients ORDER BY client_id')
          .map((row): ClientRecord => JSON.parse(row.record)),
      ),
    remove: (clientId) =>
      database.write((sql) => sql.run('DELETE FROM clients WHERE client_id = ?', clientId) === 1),
  };
}
