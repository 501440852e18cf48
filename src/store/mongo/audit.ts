import type { AuditRecord } from '../../model/audit-event.ts';
import type { AuditStore } from '../ports/audit.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Collections } from './collections.ts';
import { keyOf } from './keys.ts';

/** Documents per delete, so that no command holds the server for long. */
const BATCH = 500;

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
    async removeBefore(moment) {
      for (let total = 0; ; ) {
        const old = await audit
          .find({ at: { $lt: moment } }, { projection: { _id: 1 } })
          .limit(BATCH)
          .toArray();
        const { deletedCount } = await audit.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
        total += deletedCount;
        if (old.length < BATCH) return total;
      }
    },
  };
}

function keysOf({ organization, subject }: Pick<AuditRecord, 'organization' | 'subject'>) {
  return defined({
    organizationKey: organization === undefined ? undefined : keyOf(organization),
    subjectKey: subject === undefined ? undefined : keyOf(subject),
  });
}
