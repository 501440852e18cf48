import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { IdentityStore } from '../ports/identities.ts';
import type { Collections, IdentityDocument } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

export function createIdentityStore({ identities }: Collections): IdentityStore {
  return {
    async link(identity) {
      try {
        await identities.insertOne({
          _id: keyOf(identity.organization, identity.issuer, identity.subject),
          accountKey: keyOf(identity.accountId),
          record: JSON.stringify(identity),
        });
        return 'linked';
      } catch (error) {
        if (isDuplicate(error)) return 'taken';
        throw error;
      }
    },
    async find(organization, issuer, subject) {
      const document = await identities.findOne({ _id: keyOf(organization, issuer, subject) });
      return document ? identityOf(document) : undefined;
    },
    async listByAccount(accountId) {
      const documents = await identities.find({ accountKey: keyOf(accountId) }).toArray();
      return documents.map(identityOf).sort((one, two) => one.createdAt.getTime() - two.createdAt.getTime());
    },
    async unlink(organization, issuer, subject) {
      return (await identities.deleteOne({ _id: keyOf(organization, issuer, subject) })).deletedCount === 1;
    },
    async removeByAccount(accountId) {
      return (await identities.deleteMany({ accountKey: keyOf(accountId) })).deletedCount;
    },
  };
}

function identityOf(document: IdentityDocument): IdentityRecord {
  const record = JSON.parse(document.record);
  return { ...record, createdAt: new Date(record.createdAt) };
}
