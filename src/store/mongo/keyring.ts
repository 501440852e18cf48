import type { KeyringStore } from '../ports/keyring.ts';
import type { Collections } from './collections.ts';
import { isDuplicate } from './connection.ts';

const ID = 'keyring';

export function createKeyringStore({ keyring }: Collections): KeyringStore {
  return {
    async read() {
      const document = await keyring.findOne({ _id: ID });
      return document ? { version: document.version, encrypted: document.encrypted } : undefined;
    },
    async write(encrypted, expected) {
      if (expected > 0) {
        const change = { $set: { encrypted, version: expected + 1 } };
        return (await keyring.updateOne({ _id: ID, version: expected }, change)).matchedCount === 1;
      }
      try {
        await keyring.insertOne({ _id: ID, version: 1, encrypted });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
  };
}
