import type { ClientRecord } from '../../model/client.ts';
import type { ClientStore } from '../ports/clients.ts';
import type { Collections } from './collections.ts';
import { keyOf } from './keys.ts';

export function createClientStore({ clients }: Collections): ClientStore {
  return {
    async put(client) {
      await clients.updateOne(
        { _id: keyOf(client.clientId) },
        { $set: { record: JSON.stringify(client) } },
        { upsert: true },
      );
    },
    async byId(clientId): Promise<ClientRecord | undefined> {
      const document = await clients.findOne({ _id: keyOf(clientId) });
      return document ? JSON.parse(document.record) : undefined;
    },
    async list() {
      const documents = await clients.find({}).sort({ _id: 1 }).toArray();
      return documents.map((document): ClientRecord => JSON.parse(document.record));
    },
    async remove(clientId) {
      return (await clients.deleteOne({ _id: keyOf(clientId) })).deletedCount === 1;
    },
  };
}
