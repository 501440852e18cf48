import type { AuditRecord } from '../../model/audit-event.ts';
import type { AuditStore } from '../ports/audit.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Database } from './sqlite/database.ts';
import { insert, list, type RecordRow, removeInBatches, type Table } from './sqlite/table.ts';

export const AUDIT: Table<RecordRow, AuditRecord> = {
  name: 'audit',
  key: ['at', 'id'],
  recordOf: ({ record }) => recordFrom<AuditRecord>(record, ['at']),
};

export function createAuditStore(database: Database): AuditStore {
  return {
    append: (record) =>
      database.write((sql) => {
        const { at, organization, subject } = record;
        insert(sql, 'audit', { at, organization, subject, record: JSON.stringify(record) });
      }),
    latest: ({ limit, organization, subject }) =>
      database.read((sql) =>
        list(sql, AUDIT, defined({ organization, subject }), { order: 'at DESC, id DESC', limit }),
      ),
    removeBefore: (moment) => removeInBatches(database, AUDIT, 'at < ?', moment),
  };
}
