import type { AuditRecord } from '../../model/audit-event.ts';
import type { AuditStore } from '../ports/audit.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Collections } from './collections.ts';
import { removeInBatches } from './connection.ts';
import { keyOf } from './keys.ts';

export function createAuditStore({ audit }: Collections): AuditStore {
  return {
    async append(record) {
      await audit.insertOne({ at: record.at, ...keysOf(record), record: JSON.stringify(record) });
    },
    async latest({ limit, ...about }) {
      // ObjectIds of one process rise, which keeps the order of records of one moment.
      const documents = await audit.find(keysOf(about)).sort({ at: -1, _id: -1 }).limit(limit).toArray();
      return documents.map(({ record }) => recordFrom<AuditRecord>(record, ['at']));
    },
    removeBefore: (moment) => removeInBatches(audit, { at: { $lt: moment } }),
  };
}

function keysOf({ organization, subject }: Pick<AuditRecord, 'organization' | 'subject'>) {
  return defined({
    organizationKey: organization === undefined ? undefined : keyOf(organization),
    subjectKey: subject === undefined ? undefined : keyOf(subject),
  });
}
