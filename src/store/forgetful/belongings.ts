/** What an account has: links to upstreams, API keys. */
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { ApiKeyStore } from '../ports/api-keys.ts';
import type { IdentityStore } from '../ports/identities.ts';
import { layer, type Memory } from './memory.ts';

export function forgetfulIdentities(real: IdentityStore, memory: () => Memory): IdentityStore {
  const nameOf = (...parts: string[]) => JSON.stringify(parts);
  const keyOf = ({ organization, issuer, subject }: IdentityRecord) => nameOf(organization, issuer, subject);
  const own = layer(() => memory().identities, keyOf);
  const find = (organization: string, issuer: string, subject: string) =>
    own.one(
      (identity) => keyOf(identity) === nameOf(organization, issuer, subject),
      () => real.find(organization, issuer, subject),
    );
  const listByAccount = (accountId: string) =>
    own.all(
      (identity) => identity.accountId === accountId,
      () => real.listByAccount(accountId),
    );
  return {
    async find(...named) {
      const found = await find(...named);
      if (found === undefined) memory().missed.add('person');
      return found;
    },
    listByAccount,
    async link(identity) {
      if (await find(identity.organization, identity.issuer, identity.subject)) return 'taken';
      own.put(identity);
      return 'linked';
    },
    unlink: async (...named) => own.remove(await find(...named)),
    removeByAccount: async (accountId) => (await listByAccount(accountId)).filter(own.remove).length,
  };
}

export function forgetfulApiKeys(real: ApiKeyStore, memory: () => Memory): ApiKeyStore {
  const own = layer(
    () => memory().apiKeys,
    ({ id }) => id,
  );
  const byId = (id: string) =>
    own.one(
      (key) => key.id === id,
      () => real.byId(id),
    );
  const byHash = (keyHash: string) =>
    own.one(
      (key) => key.keyHash === keyHash,
      () => real.byHash(keyHash),
    );
  const listByAccount = (accountId: string) =>
    own.all(
      (key) => key.accountId === accountId,
      () => real.listByAccount(accountId),
    );
  return {
    async insert(key, limit) {
      if ((await byId(key.id)) || (await byHash(key.keyHash))) return 'taken';
      const { accountId } = key;
      const isFull =
        limit !== undefined && accountId !== undefined && (await listByAccount(accountId)).length >= limit;
      if (isFull) return 'full';
      own.put(key);
      return 'inserted';
    },
    async byHash(keyHash) {
      const found = await byHash(keyHash);
      if (found === undefined) memory().missed.add('api-key');
      return found;
    },
    byId,
    listByAccount,
    listByOrganization: (organization) =>
      own.all(
        (key) => key.organization === organization,
        () => real.listByOrganization(organization),
      ),
    async touch(id, lastUsedAt) {
      const present = await byId(id);
      if (present !== undefined) own.put({ ...present, lastUsedAt });
    },
    async remove(id, accountId) {
      const present = await byId(id);
      return own.remove(accountId === undefined || present?.accountId === accountId ? present : undefined);
    },
    removeByAccount: async (accountId) => (await listByAccount(accountId)).filter(own.remove).length,
  };
}
