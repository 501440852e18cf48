import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { IdentityStore } from '../ports/identities.ts';
import { recordFrom } from '../ports/stores.ts';
import type { Collections, IdentityDocument } from './collections.ts';
import { inserted } from './connection.ts';
import { keyOf } from './keys.ts';

export function createIdentityStore({ identities }: Collections): IdentityStore {
  return {
    async link(identity) {
      const { organization, issuer, subject, accountId } = identity;
      const _id = keyOf(organization, issuer, subject);
      const document = { _id, accountKey: keyOf(accountId), record: JSON.stringify(identity) };
      return (await inserted(identities.insertOne(document))) ? 'linked' : 'taken';
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

function identityOf({ record }: IdentityDocument): IdentityRecord {
  return recordFrom<IdentityRecord>(record, ['createdAt']);
}
