import type { FactStore } from '../ports/metadata.ts';
import type { Collections } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

export function createFactStore({ facts }: Collections): FactStore {
  return {
    async get(name) {
      return (await facts.findOne({ _id: keyOf(name) }))?.value;
    },
    async set(name, value) {
      await facts.updateOne({ _id: keyOf(name) }, { $set: { value } }, { upsert: true });
    },
    async setOnce(name, value) {
      try {
        await facts.insertOne({ _id: keyOf(name), value });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
  };
}
