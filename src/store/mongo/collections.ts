import type { Db } from 'mongodb';
import type { OidcRecordKind, StoredOidcRecord } from '../ports/oidc-records.ts';
import type { UsageDay } from '../ports/usage.ts';

/**
 * The documents. What is looked up or compared lies in top-level fields of its own, each a string made by
 * keyOf; a field that has no value is absent, never null (a unique sparse index counts null as a value).
 * The rest of a record is JSON text: member names of a vendor's may contain "." and "$".
 */
export interface AccountDocument {
  readonly _id: string;
  readonly organizationKey: string;
  readonly emailKey?: string;
  readonly usernameKey?: string;
  readonly version: number;
  readonly lastSignInAt?: Date;
  /** Where a legacy system knows the person. */
  readonly standings?: string;
  readonly record: string;
  /** `alias_<name>`, one for each alias. */
  readonly [alias: `alias_${string}`]: string;
}

/** Of organizations and clients. */
export interface RecordDocument {
  readonly _id: string;
  readonly record: string;
}

export interface ApiDocument extends RecordDocument {
  readonly identifierKey: string;
}

export interface IdentityDocument extends RecordDocument {
  readonly accountKey: string;
}

/** Who has a host name. `putId` names the put that reserved it, `at` when. */
export interface HostDocument {
  readonly _id: string;
  readonly organization: string;
  readonly putId: string;
  readonly at: Date;
}

export interface ApiKeyDocument {
  readonly _id: string;
  readonly keyHashKey: string;
  readonly organizationKey: string;
  readonly accountKey?: string;
  /** The owner and a number: at most one key has each, which is how a limit is kept without a transaction. */
  readonly slotKey?: string;
  readonly slot?: number;
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
  readonly record: string;
}

export interface OidcRecordDocument extends Omit<StoredOidcRecord, 'id' | 'durable'> {
  readonly _id: string;
  readonly kind: OidcRecordKind;
  readonly oidcRecordId: string;
  readonly grantKey?: string;
  readonly accountKey?: string;
  readonly uidKey?: string;
  readonly userCodeKey?: string;
  /** Of the kind Grant alone. */
  readonly clientKey?: string;
}

export interface DeliveryDocument extends RecordDocument {
  readonly clientKey: string;
  readonly dueAt?: Date;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly version: number;
}

export interface AuditDocument {
  readonly at: Date;
  readonly organizationKey?: string;
  readonly subjectKey?: string;
  readonly eventKey: string;
  readonly clientKey?: string;
  readonly channelKey?: string;
  readonly outcomeKey?: string;
  readonly record: string;
}

/** `version`: of compare-and-set. */
export interface UsageDocument extends UsageDay {
  readonly _id: string;
  readonly version: number;
}

export interface MigrationDocument {
  readonly _id: string;
  readonly version?: number;
  readonly owner?: string;
  readonly until?: Date;
}

export type Collections = ReturnType<typeof collectionsOf>;

export function collectionsOf(db: Db) {
  return {
    accounts: db.collection<AccountDocument>('accounts'),
    identities: db.collection<IdentityDocument>('identities'),
    organizations: db.collection<RecordDocument>('organizations'),
    hosts: db.collection<HostDocument>('organization_hosts'),
    clients: db.collection<RecordDocument>('clients'),
    apis: db.collection<ApiDocument>('apis'),
    apiKeys: db.collection<ApiKeyDocument>('api_keys'),
    oidcRecords: db.collection<OidcRecordDocument>('oidcRecords'),
    deliveries: db.collection<DeliveryDocument>('deliveries'),
    keyring: db.collection<{ _id: string; version: number; encrypted: string }>('keyring'),
    audit: db.collection<AuditDocument>('audit'),
    usage: db.collection<UsageDocument>('usage'),
    metadata: db.collection<{ _id: string; value: string }>('metadata'),
    migrations: db.collection<MigrationDocument>('migrations'),
    /** One document, which nodes that look whether they can write replace. */
    health: db.collection<{ _id: 'health'; mark: string }>('health'),
  };
}
