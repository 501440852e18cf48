import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { ApiKeyStore } from '../ports/api-keys.ts';
import { defined, recordFrom } from '../ports/stores.ts';
import type { ApiKeyDocument, Collections } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

/** Rounds in which other callers may take the slot that this one chose. */
const ROUNDS = 200;

export function createApiKeyStore({ apiKeys }: Collections): ApiKeyStore {
  const list = async (filter: Partial<ApiKeyDocument>) =>
    (await apiKeys.find(filter).toArray())
      .sort((one, two) => one.createdAt.getTime() - two.createdAt.getTime())
      .map(apiKeyOf);
  const one = async (filter: Partial<ApiKeyDocument>) => {
    const document = await apiKeys.findOne(filter);
    return document ? apiKeyOf(document) : undefined;
  };
  return {
    insert: (key, limit) => insert(apiKeys, key, limit),
    byHash: (keyHash) => one({ keyHashKey: keyOf(keyHash) }),
    byId: (id) => one({ _id: keyOf(id) }),
    listByAccount: (accountId) => list({ accountKey: keyOf(accountId) }),
    listByOrganization: (organization) => list({ organizationKey: keyOf(organization) }),
    async touch(id, at) {
      await apiKeys.updateOne({ _id: keyOf(id) }, { $set: { lastUsedAt: at } });
    },
    async remove(id, accountId) {
      const owner = accountId === undefined ? {} : { accountKey: keyOf(accountId) };
      return (await apiKeys.deleteOne({ _id: keyOf(id), ...owner })).deletedCount === 1;
    },
    async removeByAccount(accountId) {
      return (await apiKeys.deleteMany({ accountKey: keyOf(accountId) })).deletedCount;
    },
  };
}

/**
 * Each key of an owner holds a numbered slot, and the slot is unique by index: of two callers that choose
 * the same free one, the index refuses one, who looks again. So no two callers pass the limit together.
 */
async function insert(
  apiKeys: Collections['apiKeys'],
  key: ApiKeyRecord,
  limit: number | undefined,
): Promise<'inserted' | 'taken' | 'full'> {
  for (let round = 1; ; round += 1) {
    const slot = await freeSlot(apiKeys, key.accountId, limit);
    if (slot === 'full') return 'full';
    try {
      await apiKeys.insertOne(documentOf(key, slot));
      return 'inserted';
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      const sameId = await apiKeys.findOne({ _id: keyOf(key.id) });
      if (sameId ?? (await apiKeys.findOne({ keyHashKey: keyOf(key.keyHash) }))) return 'taken';
      if (round === ROUNDS) throw error;
    }
  }
}

/** A slot below `limit`, or the first free one where there is none; undefined without an owner. */
async function freeSlot(
  apiKeys: Collections['apiKeys'],
  accountId: string | undefined,
  limit: number | undefined,
): Promise<number | 'full' | undefined> {
  if (accountId === undefined) return undefined;
  const held = await apiKeys.find({ accountKey: keyOf(accountId) }, { projection: { slot: 1 } }).toArray();
  const used = new Set(held.map((document) => document.slot));
  if (limit === undefined) {
    let slot = 0;
    while (used.has(slot)) slot += 1;
    return slot;
  }
  // Keys beyond the limit, from a time without one, take room away below it.
  const beyond = held.filter((document) => (document.slot ?? 0) >= limit).length;
  const free = Array.from({ length: Math.max(0, limit - beyond) }, (_, slot) => slot).filter(
    (slot) => !used.has(slot),
  );
  if (held.length >= limit) return 'full';
  return free[Math.floor(Math.random() * free.length)] ?? 'full';
}

function documentOf(key: ApiKeyRecord, slot: number | undefined): ApiKeyDocument {
  const { accountId, createdAt, lastUsedAt } = key;
  const owned = accountId !== undefined && slot !== undefined;
  return defined({
    _id: keyOf(key.id),
    keyHashKey: keyOf(key.keyHash),
    organizationKey: keyOf(key.organization),
    ...(owned && { accountKey: keyOf(accountId), slot, slotKey: keyOf(accountId, String(slot)) }),
    createdAt,
    lastUsedAt,
    record: JSON.stringify(key),
  });
}

function apiKeyOf({ record, lastUsedAt }: ApiKeyDocument): ApiKeyRecord {
  return recordFrom<ApiKeyRecord>(record, ['createdAt', 'expiresAt'], { lastUsedAt });
}
