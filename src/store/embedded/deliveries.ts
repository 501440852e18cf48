import type { DeliveryRecord, DeliveryStore } from '../ports/deliveries.ts';
import { recordFrom } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { add, type Columns, find, LIVE, type RecordRow, remove, type Table } from './sqlite/table.ts';

/** After a power cut a client may be told once more, by a token that says so. */
const REPEATABLE = { passing: true };

export const DELIVERIES: Table<RecordRow, DeliveryRecord> = {
  name: 'deliveries',
  key: ['id'],
  live: LIVE,
  recordOf: ({ record }) => recordFrom(record, ['createdAt', 'dueAt', 'endsAt', 'expiresAt']),
};

export function createDeliveryStore(database: Database): DeliveryStore {
  return {
    add: (deliveries) =>
      database.write((sql) =>
        deliveries.filter((one) => add(sql, 'deliveries', rowOf(one))).map(({ id }) => id),
      ),
    due: (now, { limit, except }) =>
      database.read((sql) => {
        const text = `SELECT record FROM deliveries WHERE due_at <= ? AND expires_at > ?
           AND client_id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?`;
        const rows = sql.all<RecordRow>(text, now, now, JSON.stringify(except), limit);
        return rows.map(DELIVERIES.recordOf);
      }),
    update: (delivery) => database.write((sql) => replace(sql, delivery), REPEATABLE),
    remove: (id) => database.write((sql) => remove(sql, 'deliveries', { id }) === 1, REPEATABLE),
    byId: (id, now) => database.read((sql) => find(sql, DELIVERIES, { id }, now)),
    list: (now, { clientId, waiting, limit }) =>
      database.read((sql) => {
        const conditions = [
          LIVE,
          ...(clientId === undefined ? [] : ['client_id = ?']),
          ...(waiting === undefined ? [] : [`due_at IS ${waiting ? 'NOT ' : ''}NULL`]),
        ];
        const text = `SELECT record FROM deliveries WHERE ${conditions.join(' AND ')}
           ORDER BY created_at DESC, id LIMIT ?`;
        const rows = sql.all<RecordRow>(text, now, ...(clientId === undefined ? [] : [clientId]), limit);
        return rows.map(DELIVERIES.recordOf);
      }),
  };
}

function replace(sql: Sql, delivery: DeliveryRecord): boolean {
  const { id, version } = delivery;
  const { id: _same, ...columns } = rowOf({ ...delivery, version: version + 1 });
  const changes = Object.keys(columns).map((column) => `${column} = ?`);
  const text = `UPDATE deliveries SET ${changes.join(', ')} WHERE id = ? AND version = ?`;
  return sql.run(text, ...Object.values(columns), id, version) === 1;
}

function rowOf(delivery: DeliveryRecord): Columns {
  const { id, clientId, dueAt, createdAt, expiresAt, version } = delivery;
  return {
    id,
    client_id: clientId,
    due_at: dueAt,
    created_at: createdAt,
    expires_at: expiresAt,
    version,
    record: JSON.stringify(delivery),
  };
}
