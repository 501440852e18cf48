/**
 * The MongoDB half of the distributed store: what must last. Accounts, identities, organizations,
 * clients, API keys, the keyring, the audit log, facts, and the OIDC records that live long (grants, refresh
 * tokens, long-lived access tokens). One file per port,
 * but for installation.ts; connection.ts holds what every call shares,
 * collections.ts the form of the documents, migrations.ts the indexes.
 *
 * One document per thing that changes together: nothing here needs a transaction. Uniqueness is a unique
 * sparse index over one top-level string field. Writes are acknowledged by a majority.
 */

import { randomUUID } from 'node:crypto';
import { healthOf } from '../ports/guard.ts';
import { createAccountStore } from './accounts.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createAuditStore } from './audit.ts';
import { type Collections, collectionsOf } from './collections.ts';
import {
  guarded,
  isDuplicate,
  type MongoOptions,
  mongoClient,
  removeInBatches,
  translated,
} from './connection.ts';
import { createDeliveryStore } from './deliveries.ts';
import { createIdentityStore } from './identities.ts';
import {
  createApiStore,
  createClientStore,
  createKeyringStore,
  createMetadataStore,
  createOrganizationStore,
} from './installation.ts';
import { migrate } from './migrations.ts';
import { createOidcRecordStore } from './oidc-records.ts';
import { createUsageStore } from './usage.ts';

export type MongoStores = ReturnType<typeof openMongoStores>;

export function openMongoStores(options: MongoOptions) {
  const client = mongoClient(options.url);
  const db = client.db(options.database);
  const collections = collectionsOf(db);
  const { look } = guarded({ look: () => writeAndReadBack(collections) });
  return {
    accounts: guarded(createAccountStore(collections)),
    identities: guarded(createIdentityStore(collections)),
    organizations: guarded(createOrganizationStore(collections)),
    clients: guarded(createClientStore(collections)),
    apis: guarded(createApiStore(collections)),
    apiKeys: guarded(createApiKeyStore(collections)),
    oidcRecords: guarded(createOidcRecordStore(collections)),
    keyring: guarded(createKeyringStore(collections)),
    deliveries: guarded(createDeliveryStore(collections)),
    audit: guarded(createAuditStore(collections)),
    usage: guarded(createUsageStore(collections)),
    metadata: guarded(createMetadataStore(collections)),
    migrate: () => migrate(options),
    health: () => healthOf('mongo', look),
    // MongoDB's TTL index does the same, later.
    sweep: (now: Date) => sweep(collections, now),
    close: () => client.close(),
  };
}

/** Deletes OIDC records and deliveries that ended at or before `now`; resolves with how many. */
async function sweep({ oidcRecords, deliveries }: Collections, now: Date): Promise<number> {
  try {
    const ended = await removeInBatches(oidcRecords, { expiresAt: { $lte: now } });
    return ended + (await removeInBatches(deliveries, { expiresAt: { $lte: now } }));
  } catch (error) {
    throw translated(error);
  }
}

/** By a majority, as everything that is granted here. */
async function writeAndReadBack({ health }: Collections): Promise<void> {
  const mark = randomUUID();
  const write = () =>
    health.findOneAndUpdate({ _id: 'health' }, { $set: { mark } }, { upsert: true, returnDocument: 'after' });
  const written = await write().catch((error: unknown) => {
    // The very first write, of two nodes at once.
    if (isDuplicate(error)) return write();
    throw error;
  });
  if (written?.mark !== mark) throw new Error('What was written could not be read back.');
}
