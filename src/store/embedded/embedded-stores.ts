/**
 * The embedded store: every port of ports.ts on one SQLite file, through Node's own `node:sqlite`. One
 * file per port, but for installation.ts; database.ts holds the connection and its transactions, migrations.ts the tables.
 * Several processes may open one file at once (WAL). It is the store people start with, and enough for a
 * single machine; docs/decisions/0002-embedded-store.md says what it promises and what it costs.
 */
import type { Log } from '../../observe/log.ts';
import { healthOf } from '../ports/guard.ts';
import type { Stores } from '../ports/stores.ts';
import { createAccountStore } from './accounts.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createAuditStore } from './audit.ts';
import { createCodeStore } from './codes.ts';
import { createIdentityStore } from './identities.ts';
import {
  createClientStore,
  createKeyringStore,
  createMetadataStore,
  createOrganizationStore,
} from './installation.ts';
import { createLeaseStore } from './leases.ts';
import { createLinkTokenStore } from './link-tokens.ts';
import { createOidcRecordStore } from './oidc-records.ts';
import { createPresenceStore } from './presence.ts';
import { createRateLimitStore } from './rate-limits.ts';
import { type Database, openDatabase, type Sql } from './sqlite/database.ts';
import { migrate } from './sqlite/migrations.ts';
import { sweep } from './sqlite/sweep.ts';

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
    apiKeys: createApiKeyStore(database),
    oidcRecords: createOidcRecordStore(database),
    keyring: createKeyringStore(database),
    rateLimits: createRateLimitStore(database),
    codes: createCodeStore(database),
    linkTokens: createLinkTokenStore(database),
    leases: createLeaseStore(database),
    presence: createPresenceStore(database),
    audit: createAuditStore(database),
    metadata: createMetadataStore(database),
    migrate: () => migrate(database),
    health: () => healthOf('embedded', () => look(database)),
    // A disk has no bound of ours.
    fullness: async () => 0,
    sweep: (now) => sweep(database, now),
    close: () => database.close(),
  };
}

async function look(database: Database): Promise<void> {
  const writtenAt = Date.now();
  const readBack = await database.write((sql) => rewrite(sql, writtenAt), { passing: true });
  if (readBack !== writtenAt) throw new Error('What was written could not be read back.');
}

/** One row, which ended when it was written: no reader takes it for anything, and the sweeper may have it. */
function rewrite(sql: Sql, at: number): number | undefined {
  sql.run(
    `INSERT INTO attempt_memory (key, expires_at) VALUES ('health', ?)
     ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at`,
    at,
  );
  return sql.get<{ expires_at: number }>("SELECT expires_at FROM attempt_memory WHERE key = 'health'")
    ?.expires_at;
}
