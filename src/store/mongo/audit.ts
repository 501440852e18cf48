import { type Filter, ObjectId } from 'mongodb';
import type { AuditRecord } from '../../model/audit-event.ts';
import { type AuditFilter, type AuditStore, channelOf, positionFrom, positionText } from '../ports/audit.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { AuditDocument, Collections } from './collections.ts';
import { removeInBatches } from './connection.ts';
import { keyOf } from './keys.ts';

/** Records that get their keys in one go. */
const PAGE = 500;

export function createAuditStore({ audit }: Collections): AuditStore {
  const page: AuditStore['page'] = async ({ limit, after, ...filter }) => {
    // ObjectIds of one process rise, which keeps the order of records of one moment.
    const found = audit.find(filterOf(filter, after)).sort({ at: -1, _id: -1 }).limit(limit);
    const documents = await found.toArray();
    const last = documents.length === limit ? documents.at(-1) : undefined;
    return {
      records: documents.map(({ record }) => recordFrom<AuditRecord>(record, ['at'])),
      ...(last && { next: positionText({ at: last.at, id: last._id.toHexString() }) }),
    };
  };
  return {
    async append(record) {
      await audit.insertOne({ at: record.at, ...keysOfRecord(record), record: JSON.stringify(record) });
    },
    latest: async (options) => (await page(options)).records,
    page,
    removeBefore: (moment) => removeInBatches(audit, { at: { $lt: moment } }),
  };
}

/** Records of an older Portico have two of the keys. */
export async function keyAuditRecords({ audit }: Collections): Promise<void> {
  await audit.createIndex({ eventKey: 1, at: -1 });
  await audit.createIndex({ clientKey: 1, at: -1 });
  for (;;) {
    const some = await audit
      .find({ eventKey: { $exists: false } })
      .limit(PAGE)
      .toArray();
    if (some.length === 0) return;
    await Promise.all(
      some.map(({ _id, record }) => {
        const $set = keysOfRecord(JSON.parse(record) as AuditRecord);
        return audit.updateOne({ _id }, { $set });
      }),
    );
  }
}

type Keyed = Pick<AuditFilter, 'organization' | 'subject' | 'event' | 'clientId' | 'channel' | 'outcome'>;

function keysOfRecord(record: AuditRecord) {
  return { eventKey: keyOf(record.event), ...keysOf({ ...record, channel: channelOf(record) }) };
}

function keysOf({ organization, subject, event, clientId, channel, outcome }: Keyed) {
  const key = (value: string | undefined) => (value === undefined ? undefined : keyOf(value));
  return defined({
    organizationKey: key(organization),
    subjectKey: key(subject),
    eventKey: key(event),
    clientKey: key(clientId),
    channelKey: key(channel),
    outcomeKey: key(outcome),
  });
}

function filterOf({ from, to, ...keyed }: AuditFilter, after: string | undefined): Filter<AuditDocument> {
  const position = after === undefined ? undefined : positionFrom(after);
  const at = defined({ $gte: from, $lt: to, $lte: position?.at });
  return {
    ...keysOf(keyed),
    ...(Object.keys(at).length > 0 && { at }),
    ...(position && {
      $or: [
        { at: { $lt: position.at } },
        { at: position.at, _id: { $lt: ObjectId.createFromHexString(position.id) } },
      ],
    }),
  };
}
