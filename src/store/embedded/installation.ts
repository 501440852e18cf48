/** What an operator sets up: organizations, clients, APIs, the signing keys, and facts about the installation. */
import type { ApiRecord } from '../../model/api.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type {
  ApiStore,
  ClientStore,
  KeyringStore,
  MetadataStore,
  OrganizationStore,
  TakenOfOrganization,
} from '../ports/installation.ts';
import { namesOf, ofEmails, takenName } from '../ports/stores.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { add, find, finder, list, put, type RecordRow, remove, type Table } from './sqlite/table.ts';

export const ORGANIZATIONS: Table<RecordRow, OrganizationRecord> = {
  name: 'organizations',
  key: ['id'],
  recordOf: ({ record }) => JSON.parse(record),
};

/** Thrown inside a write, so that it is undone. */
class NameTaken extends Error {
  readonly taken: TakenOfOrganization;
  constructor(name: string) {
    super(`${name} is taken`);
    this.taken = takenName(name);
  }
}

export function createOrganizationStore(database: Database): OrganizationStore {
  const byId = finder(ORGANIZATIONS, 'id', ['record']);
  const byName = (name: string) =>
    database.read((sql) => {
      const text =
        'SELECT record FROM organizations JOIN organization_hosts ON organization = id WHERE host = ?';
      const row = sql.get<RecordRow>(text, name);
      return row && ORGANIZATIONS.recordOf(row);
    });
  return {
    async put(organization) {
      try {
        await database.write((sql) => putWithHosts(sql, organization));
        return 'stored';
      } catch (error) {
        if (error instanceof NameTaken) return { taken: error.taken };
        throw error;
      }
    },
    byId: (id) => database.read((sql) => byId(sql, id)),
    byHost: (host) => byName(host.toLowerCase()),
    byEmailDomain: (domain) => byName(ofEmails(domain)),
    list: () => database.read((sql) => list(sql, ORGANIZATIONS)),
  };
}

function putWithHosts(sql: Sql, organization: OrganizationRecord): void {
  const { id } = organization;
  put(sql, ORGANIZATIONS, { id, record: JSON.stringify(organization) });
  remove(sql, 'organization_hosts', { organization: id });
  for (const host of namesOf(organization)) {
    if (!add(sql, 'organization_hosts', { host, organization: id })) throw new NameTaken(host);
  }
}

export const CLIENTS: Table<RecordRow, ClientRecord> = {
  name: 'clients',
  key: ['client_id'],
  recordOf: ({ record }) => JSON.parse(record),
};

export function createClientStore(database: Database): ClientStore {
  return {
    put: (client) =>
      database.write((sql) =>
        put(sql, CLIENTS, { client_id: client.clientId, record: JSON.stringify(client) }),
      ),
    byId: (clientId) => database.read((sql) => find(sql, CLIENTS, { client_id: clientId })),
    list: () => database.read((sql) => list(sql, CLIENTS)),
    remove: (clientId) => database.write((sql) => remove(sql, 'clients', { client_id: clientId }) === 1),
  };
}

export const APIS: Table<RecordRow, ApiRecord> = {
  name: 'apis',
  key: ['id'],
  recordOf: ({ record }) => JSON.parse(record),
};

export function createApiStore(database: Database): ApiStore {
  return {
    put: (api) =>
      database.write((sql) => {
        const { id, identifier } = api;
        const owner = find(sql, APIS, { identifier });
        if (owner !== undefined && owner.id !== id) return { taken: 'identifier' };
        put(sql, APIS, { id, identifier, record: JSON.stringify(api) });
        return 'stored';
      }),
    byId: (id) => database.read((sql) => find(sql, APIS, { id })),
    byIdentifier: (identifier) => database.read((sql) => find(sql, APIS, { identifier })),
    list: () => database.read((sql) => list(sql, APIS)),
    remove: (id) => database.write((sql) => remove(sql, 'apis', { id }) === 1),
  };
}

interface Keyring {
  readonly version: number;
  readonly encrypted: string;
}

export const KEYRING: Table<Keyring, Keyring> = {
  name: 'keyring',
  key: ['id'],
  recordOf: ({ version, encrypted }) => ({ version, encrypted }),
};

export function createKeyringStore(database: Database): KeyringStore {
  return {
    read: () => database.read((sql) => find(sql, KEYRING, { id: 1 })),
    write: (encrypted, expected) =>
      database.write((sql) => {
        if (expected === 0) return add(sql, 'keyring', { id: 1, version: 1, encrypted });
        const text = 'UPDATE keyring SET encrypted = ?, version = version + 1 WHERE id = 1 AND version = ?';
        return sql.run(text, encrypted, expected) === 1;
      }),
  };
}

interface Entry {
  readonly name: string;
  readonly value: string;
}

export const METADATA: Table<Entry, Entry> = {
  name: 'metadata',
  key: ['name'],
  recordOf: ({ name, value }) => ({ name, value }),
};

export function createMetadataStore(database: Database): MetadataStore {
  return {
    get: async (name) => (await database.read((sql) => find(sql, METADATA, { name })))?.value,
    set: (name, value) => database.write((sql) => put(sql, METADATA, { name, value })),
    setOnce: (name, value) => database.write((sql) => add(sql, 'metadata', { name, value })),
    replace: (name, before, value) =>
      database.write((sql) => {
        const text = 'UPDATE metadata SET value = ? WHERE name = ? AND value = ?';
        return sql.run(text, value, name, before) === 1;
      }),
  };
}
