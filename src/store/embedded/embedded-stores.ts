/**
 * The embedded store: every port on one SQLite file, through Node's own `node:sqlite`. One file per port, but
 * for installation.ts; sqlite/ holds the connection and its transactions, the statements and the migrations.
 * Several processes may open one file at once (WAL). It is the store people start with, and enough for a
 * single machine; docs/decisions/0002-embedded-store.md says what it promises and what it costs.
 */
import type { Log } from '../../observe/log.ts';
import { healthOf } from '../ports/guard.ts';
import type { Stores } from '../ports/stores.ts';
import { createAccountStore } from './accounts.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createAuditStore } from './audit.ts';
import { CODES, createCodeStore } from './codes.ts';
import { createDeliveryStore, DELIVERIES } from './deliveries.ts';
import { createIdentityStore } from './identities.ts';
import {
  createApiStore,
  createClientStore,
  createKeyringStore,
  createMetadataStore,
  createOrganizationStore,
} from './installation.ts';
import { createLeaseStore, LEASES } from './leases.ts';
import { createLinkTokenStore, LINK_TOKENS } from './link-tokens.ts';
import { createOidcRecordStore, OIDC_RECORDS } from './oidc-records.ts';
import { createPresenceStore, PRESENCE } from './presence.ts';
import { ATTEMPTS, createRateLimitStore, REMEMBERED, WINDOWS } from './rate-limits.ts';
import { type Database, openDatabase } from './sqlite/database.ts';
import { migrate } from './sqlite/migrations.ts';
import { find, put, removeInBatches } from './sqlite/table.ts';
import { createUsageStore } from './usage.ts';

export interface EmbeddedOptions {
  /** Path of the database file; its folder is made when it is missing. */
  readonly file: string;
  readonly log: Log;
}

/** Throws StoreUnusable when the file cannot serve as a database, with what to do. */
export async function openEmbeddedStores({ file, log }: EmbeddedOptions): Promise<Stores> {
  const database = await openDatabase({ file, log });
  return {
    accounts: createAccountStore(database),
    identities: createIdentityStore(database),
    organizations: createOrganizationStore(database),
    clients: createClientStore(database),
    apis: createApiStore(database),
    apiKeys: createApiKeyStore(database),
    oidcRecords: createOidcRecordStore(database),
    keyring: createKeyringStore(database),
    rateLimits: createRateLimitStore(database),
    codes: createCodeStore(database),
    linkTokens: createLinkTokenStore(database),
    leases: createLeaseStore(database),
    presence: createPresenceStore(database),
    deliveries: createDeliveryStore(database),
    audit: createAuditStore(database),
    usage: createUsageStore(database),
    metadata: createMetadataStore(database),
    watch: database.watch,
    migrate: () => migrate(database, log),
    health: () => healthOf('embedded', () => look(database)),
    // A disk has no bound of ours.
    fullness: async () => 0,
    sweep: (now) => sweep(database, now),
    close: () => database.close(),
  };
}

/** Writes one row, which ended when it was written: no reader takes it for anything, and the sweeper may have it. */
async function look(database: Database): Promise<void> {
  const writtenAt = new Date();
  // Flushed: on a disk that takes writes and flushes none, no sign-in and no revocation is acknowledged.
  const readBack = await database.write((sql) => {
    put(sql, REMEMBERED, { key: 'health', expires_at: writtenAt });
    return find(sql, REMEMBERED, { key: 'health' });
  });
  if (readBack?.until.getTime() !== writtenAt.getTime()) {
    throw new Error('What was written could not be read back.');
  }
}

/** Tables whose rows end. Audit records, accounts and API keys stay until they are removed. */
const ENDING = [
  OIDC_RECORDS,
  ATTEMPTS,
  WINDOWS,
  REMEMBERED,
  CODES,
  LINK_TOKENS,
  LEASES,
  PRESENCE,
  DELIVERIES,
];

/** Deletes what ended at or before `now`; resolves with how many rows. Answers never depend on it. */
async function sweep(database: Database, now: Date): Promise<number> {
  let total = 0;
  for (const table of ENDING) total += await removeInBatches(database, table, 'expires_at <= ?', now);
  return total;
}
