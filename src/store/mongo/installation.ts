/** What an operator sets up: organizations, clients, APIs, the signing keys, and facts about the installation. */
import { randomUUID } from 'node:crypto';
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
import type { ApiDocument, Collections, RecordDocument } from './collections.ts';
import { inserted, isServerAnswer } from './connection.ts';
import { keyOf } from './keys.ts';

/**
 * Milliseconds after which a reserved host whose organization does not list it counts as left behind by a
 * put that died; until then that put may still be under way.
 */
const RESERVATION = 60_000;

/**
 * A host name is a document of its own, so that its uniqueness is an index. A put reserves the hosts
 * first, then stores the organization, then lets go of the hosts that it does not list any more; a look-up
 * believes a host only when the organization lists it.
 */
export function createOrganizationStore(collections: Collections): OrganizationStore {
  const { organizations, hosts } = collections;
  const byName = async (name: string) => {
    const holder = await hosts.findOne({ _id: keyOf(name) });
    if (!holder) return undefined;
    const organization = organizationOf(await organizations.findOne({ _id: holder.organization }));
    return organization && lists(organization, name) ? organization : undefined;
  };
  return {
    put: (organization) => put(collections, organization),
    async byId(id) {
      return organizationOf(await organizations.findOne({ _id: keyOf(id) }));
    },
    byHost: (host) => byName(host.toLowerCase()),
    byEmailDomain: (domain) => byName(ofEmails(domain)),
    async list() {
      const documents = await organizations.find({}).sort({ _id: 1 }).toArray();
      return documents.flatMap((document) => organizationOf(document) ?? []);
    },
  };
}

async function put(
  collections: Collections,
  organization: OrganizationRecord,
): Promise<'stored' | { taken: TakenOfOrganization }> {
  const { organizations, hosts } = collections;
  const _id = keyOf(organization.id);
  const putId = randomUUID();
  const names = namesOf(organization);
  for (const name of names) {
    if (await reserve(collections, { name, organization: _id, putId })) continue;
    await hosts.deleteMany({ organization: _id, putId });
    return { taken: takenName(name) };
  }
  await organizations.updateOne(
    { _id },
    { $set: { record: JSON.stringify(organization) } },
    { upsert: true },
  );
  const held = await hosts.find({ organization: _id }).toArray();
  const kept = new Set(names.map((name) => keyOf(name)));
  const released = held.map((host) => host._id).filter((host) => !kept.has(host));
  if (released.length > 0) await hosts.deleteMany({ _id: { $in: released }, organization: _id });
  return 'stored';
}

/** True when the host is this organization's now. */
async function reserve(
  { organizations, hosts }: Collections,
  want: { name: string; organization: string; putId: string },
): Promise<boolean> {
  const _id = keyOf(want.name);
  const reservation = { organization: want.organization, putId: want.putId, at: new Date() };
  if (await inserted(hosts.insertOne({ _id, ...reservation }))) return true;
  const holder = await hosts.findOne({ _id });
  if (holder?.organization === want.organization) return true;
  if (!holder || holder.at.getTime() > Date.now() - RESERVATION) return false;
  const owner = organizationOf(await organizations.findOne({ _id: holder.organization }));
  if (owner && lists(owner, want.name)) return false;
  const taken = await hosts.updateOne({ _id, putId: holder.putId }, { $set: reservation });
  return taken.matchedCount === 1;
}

function lists(organization: OrganizationRecord, name: string): boolean {
  return namesOf(organization).includes(name);
}

function organizationOf(document: RecordDocument | null): OrganizationRecord | undefined {
  return document ? JSON.parse(document.record) : undefined;
}

export function createClientStore({ clients }: Collections): ClientStore {
  return {
    async put(client) {
      await clients.updateOne(
        { _id: keyOf(client.clientId) },
        { $set: { record: JSON.stringify(client) } },
        { upsert: true },
      );
    },
    async byId(clientId): Promise<ClientRecord | undefined> {
      const document = await clients.findOne({ _id: keyOf(clientId) });
      return document ? JSON.parse(document.record) : undefined;
    },
    async list() {
      const documents = await clients.find({}).sort({ _id: 1 }).toArray();
      return documents.map((document): ClientRecord => JSON.parse(document.record));
    },
    async remove(clientId) {
      return (await clients.deleteOne({ _id: keyOf(clientId) })).deletedCount === 1;
    },
  };
}

export function createApiStore({ apis }: Collections): ApiStore {
  const one = async (filter: Partial<ApiDocument>): Promise<ApiRecord | undefined> => {
    const document = await apis.findOne(filter);
    return document ? JSON.parse(document.record) : undefined;
  };
  return {
    async put(api) {
      const $set = { identifierKey: keyOf(api.identifier), record: JSON.stringify(api) };
      const write = () => apis.updateOne({ _id: keyOf(api.id) }, { $set }, { upsert: true });
      try {
        await write();
      } catch (error) {
        if (!isServerAnswer(error)) throw error;
        const owner = await one({ identifierKey: $set.identifierKey });
        if (owner !== undefined && owner.id !== api.id) return { taken: 'identifier' };
        // Perhaps two callers put this API for the first time.
        await write();
      }
      return 'stored';
    },
    byId: (id) => one({ _id: keyOf(id) }),
    byIdentifier: (identifier) => one({ identifierKey: keyOf(identifier) }),
    async list() {
      const documents = await apis.find({}).sort({ _id: 1 }).toArray();
      return documents.map((document): ApiRecord => JSON.parse(document.record));
    },
    async remove(id) {
      return (await apis.deleteOne({ _id: keyOf(id) })).deletedCount === 1;
    },
  };
}

const KEYRING_ID = 'keyring';

export function createKeyringStore({ keyring }: Collections): KeyringStore {
  return {
    async read() {
      const document = await keyring.findOne({ _id: KEYRING_ID });
      return document ? { version: document.version, encrypted: document.encrypted } : undefined;
    },
    async write(encrypted, expected) {
      if (expected > 0) {
        const change = { $set: { encrypted, version: expected + 1 } };
        return (await keyring.updateOne({ _id: KEYRING_ID, version: expected }, change)).matchedCount === 1;
      }
      return inserted(keyring.insertOne({ _id: KEYRING_ID, version: 1, encrypted }));
    },
  };
}

export function createMetadataStore({ metadata }: Collections): MetadataStore {
  return {
    async get(name) {
      return (await metadata.findOne({ _id: keyOf(name) }))?.value;
    },
    async set(name, value) {
      await metadata.updateOne({ _id: keyOf(name) }, { $set: { value } }, { upsert: true });
    },
    setOnce: (name, value) => inserted(metadata.insertOne({ _id: keyOf(name), value })),
    async replace(name, before, value) {
      const changed = await metadata.updateOne({ _id: keyOf(name), value: before }, { $set: { value } });
      return changed.matchedCount === 1;
    },
  };
}
