import type { Collection, Db } from 'mongodb';

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
  readonly record: string;
  /** `alias_<name>`, one for each alias. */
  readonly [alias: `alias_${string}`]: string;
}

export interface IdentityDocument {
  readonly _id: string;
  readonly accountKey: string;
  readonly record: string;
}

export interface OrganizationDocument {
  readonly _id: string;
  readonly record: string;
}

/** Who has a host name. `putId` names the put that reserved it, `at` when. */
export interface HostDocument {
  readonly _id: string;
  readonly organization: string;
  readonly putId: string;
  readonly at: Date;
}

export interface ClientDocument {
  readonly _id: string;
  readonly record: string;
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

export interface OidcRecordDocument {
  readonly _id: string;
  readonly kind: string;
  readonly oidcRecordId: string;
  readonly payload: string;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly consumedAt?: Date;
  readonly grantId?: string;
  readonly grantKey?: string;
  readonly accountId?: string;
  readonly accountKey?: string;
  readonly clientId?: string;
  readonly uid?: string;
  readonly uidKey?: string;
  readonly userCode?: string;
  readonly userCodeKey?: string;
}

export interface KeyringDocument {
  readonly _id: string;
  readonly version: number;
  readonly encrypted: string;
}

export interface AuditDocument {
  readonly at: Date;
  readonly organizationKey?: string;
  readonly subjectKey?: string;
  readonly record: string;
}

export interface MetadataDocument {
  readonly _id: string;
  readonly value: string;
}

export interface MigrationDocument {
  readonly _id: string;
  readonly version?: number;
  readonly owner?: string;
  readonly until?: Date;
}

/** One document, which nodes that look whether they can write replace. */
export interface HealthDocument {
  readonly _id: 'health';
  readonly mark: string;
}

export interface Collections {
  readonly accounts: Collection<AccountDocument>;
  readonly identities: Collection<IdentityDocument>;
  readonly organizations: Collection<OrganizationDocument>;
  readonly hosts: Collection<HostDocument>;
  readonly clients: Collection<ClientDocument>;
  readonly apiKeys: Collection<ApiKeyDocument>;
  readonly oidcRecords: Collection<OidcRecordDocument>;
  readonly keyring: Collection<KeyringDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly metadata: Collection<MetadataDocument>;
  readonly migrations: Collection<MigrationDocument>;
  readonly health: Collection<HealthDocument>;
}

export function collectionsOf(db: Db): Collections {
  return {
    accounts: db.collection('accounts'),
    identities: db.collection('identities'),
    organizations: db.collection('organizations'),
    hosts: db.collection('organization_hosts'),
    clients: db.collection('clients'),
    apiKeys: db.collection('api_keys'),
    oidcRecords: db.collection('oidcRecords'),
    keyring: db.collection('keyring'),
    audit: db.collection('audit'),
    metadata: db.collection('metadata'),
    migrations: db.collection('migrations'),
    health: db.collection('health'),
  };
}
