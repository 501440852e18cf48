import type { AnyBulkWriteOperation } from 'mongodb';
import type { DeliveryRecord, DeliveryStore } from '../ports/deliveries.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { Collections, DeliveryDocument } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

export function createDeliveryStore({ deliveries }: Collections): DeliveryStore {
  const live = (now: Date) => ({ expiresAt: { $gt: now } });
  const insert = async (records: readonly DeliveryRecord[]) => {
    if (records.length === 0) return [];
    const { upsertedIds } = await deliveries.bulkWrite(records.map(upsertOf), { ordered: false });
    const added: unknown[] = Object.values(upsertedIds);
    return records.map(({ id }) => id).filter((id) => added.includes(keyOf(id)));
  };
  return {
    // Two that insert the same at once: the one that is refused finds it there the next time.
    add: (records) =>
      insert(records).catch((error) => (isDuplicate(error) ? insert(records) : Promise.reject(error))),
    async due(now, { limit, except }) {
      const clientKey = { $nin: except.map((clientId) => keyOf(clientId)) };
      const found = deliveries.find({ dueAt: { $lte: now }, clientKey, ...live(now) });
      return (await found.sort({ dueAt: 1 }).limit(limit).toArray()).map(deliveryOf);
    },
    async update(delivery) {
      const { id, version } = delivery;
      const document = documentOf({ ...delivery, version: version + 1 });
      const filter = { _id: keyOf(id), version };
      return (await deliveries.replaceOne(filter, document)).modifiedCount === 1;
    },
    async remove(id) {
      return (await deliveries.deleteOne({ _id: keyOf(id) })).deletedCount === 1;
    },
    async byId(id, now) {
      const document = await deliveries.findOne({ _id: keyOf(id), ...live(now) });
      return document ? deliveryOf(document) : undefined;
    },
    async list(now, { clientId, waiting, limit }) {
      const found = deliveries.find({
        ...live(now),
        ...(clientId !== undefined && { clientKey: keyOf(clientId) }),
        ...(waiting !== undefined && { dueAt: { $exists: waiting } }),
      });
      return (await found.sort({ createdAt: -1, _id: 1 }).limit(limit).toArray()).map(deliveryOf);
    },
  };
}

function upsertOf(delivery: DeliveryRecord): AnyBulkWriteOperation<DeliveryDocument> {
  const { _id, ...document } = documentOf(delivery);
  return { updateOne: { filter: { _id }, update: { $setOnInsert: document }, upsert: true } };
}

function documentOf(delivery: DeliveryRecord): DeliveryDocument {
  const { id, clientId, dueAt, createdAt, expiresAt, version } = delivery;
  const record = JSON.stringify(delivery);
  return defined({
    _id: keyOf(id),
    clientKey: keyOf(clientId),
    dueAt,
    createdAt,
    expiresAt,
    version,
    record,
  });
}

function deliveryOf({ record }: DeliveryDocument): DeliveryRecord {
  return recordFrom(record, ['createdAt', 'dueAt', 'endsAt', 'expiresAt']);
}
