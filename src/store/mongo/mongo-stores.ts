/**
 * The MongoDB half of the distributed store: what must last. Accounts, identities, organizations,
 * clients, API keys, the keyring, the audit log, facts, and the OIDC records that live long (grants, refresh
 * tokens, long-lived access tokens). One file per port; connection.ts holds what every call shares,
 * collections.ts the form of the documents, migrations.ts the indexes.
 *
 * One document per thing that changes together: nothing here needs a transaction. Uniqueness is a unique
 * sparse index over one top-level string field. Writes are acknowledged by a majority.
 */

import { randomUUID } from 'node:crypto';
import type { OidcRecordStore } from '../ports/oidc-records.ts';
import type { StoreHealth, Stores } from '../ports/stores.ts';
import { createAccountStore } from './accounts.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createAuditStore } from './audit.ts';
import { createClientStore } from './clients.ts';
import { type Collections, collectionsOf } from './collections.ts';
import { guarded, isDuplicate, type MongoOptions, mongoClient } from './connection.ts';
import { createIdentityStore } from './identities.ts';
import { createKeyringStore } from './keyring.ts';
import { createMetadataStore } from './metadata.ts';
import { migrate } from './migrations.ts';
import { createOidcRecordStore } from './oidc-records.ts';
import { createOrganizationStore } from './organizations.ts';
import { sweep } from './sweep.ts';

/** `OIDC records` are the long-lived ones. */
export type MongoStores = Pick<
  Stores,
  | 'accounts'
  | 'identities'
  | 'organizations'
  | 'clients'
  | 'apiKeys'
  | 'keyring'
  | 'audit'
  | 'metadata'
  | 'migrate'
  | 'health'
  | 'sweep'
  | 'close'
> & { readonly oidcRecords: OidcRecordStore };

export function openMongoStores(options: MongoOptions): MongoStores {
  const client = mongoClient(options.url);
  const db = client.db(options.database);
  const collections = collectionsOf(db);
  const { look } = guarded({ look: () => writeAndReadBack(collections) });
  const health = async (): Promise<StoreHealth> => {
    try {
      await look();
      return { name: 'mongo', ok: true };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return { name: 'mongo', ok: false, detail: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  return {
    accounts: guarded(createAccountStore(collections)),
    identities: guarded(createIdentityStore(collections)),
    organizations: guarded(createOrganizationStore(collections)),
    clients: guarded(createClientStore(collections)),
    apiKeys: guarded(createApiKeyStore(collections)),
    oidcRecords: guarded(createOidcRecordStore(collections)),
    keyring: guarded(createKeyringStore(collections)),
    audit: guarded(createAuditStore(collections)),
    metadata: guarded(createMetadataStore(collections)),
    migrate: () => migrate(options),
    health: async () => [await health()],
    sweep: (now) => sweep(collections, now),
    close: () => client.close(),
  };
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
