import type { MetadataStore } from '../ports/metadata.ts';
import type { Collections } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

export function createMetadataStore({ metadata: context }: Collections): MetadataStore {
  return {
    async get(name) {
      return (await context.findOne({ _id: keyOf(name) }))?.value;
    },
    async set(name, value) {
      await context.updateOne({ _id: keyOf(name) }, { $set: { value } }, { upsert: true });
    },
    async setOnce(name, value) {
      try {
        await context.insertOne({ _id: keyOf(name), value });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
  };
}
