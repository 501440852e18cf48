import { randomUUID } from 'node:crypto';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { OrganizationStore } from '../ports/organizations.ts';
import type { Collections, OrganizationDocument } from './collections.ts';
import { isDuplicate } from './connection.ts';
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
  return {
    put: (organization) => put(collections, organization),
    async byId(id) {
      return organizationOf(await organizations.findOne({ _id: keyOf(id) }));
    },
    async byHost(host) {
      const name = host.toLowerCase();
      const holder = await hosts.findOne({ _id: keyOf(name) });
      if (!holder) return undefined;
      const organization = organizationOf(await organizations.findOne({ _id: holder.organization }));
      return organization && lists(organization, name) ? organization : undefined;
    },
    async list() {
      const documents = await organizations.find({}).sort({ _id: 1 }).toArray();
      return documents.flatMap((document) => organizationOf(document) ?? []);
    },
  };
}

async function put(
  collections: Collections,
  organization: OrganizationRecord,
): Promise<'stored' | { taken: `host:${string}` }> {
  const { organizations, hosts } = collections;
  const _id = keyOf(organization.id);
  const putId = randomUUID();
  const names = [...new Set(organization.hosts.map((host) => host.toLowerCase()))];
  for (const name of names) {
    if (await reserve(collections, { name, organization: _id, putId })) continue;
    await hosts.deleteMany({ organization: _id, putId });
    return { taken: `host:${name}` };
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
  try {
    await hosts.insertOne({ _id, ...reservation });
    return true;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const holder = await hosts.findOne({ _id });
  if (holder?.organization === want.organization) return true;
  if (!holder || holder.at.getTime() > Date.now() - RESERVATION) return false;
  const owner = organizationOf(await organizations.findOne({ _id: holder.organization }));
  if (owner && lists(owner, want.name)) return false;
  const taken = await hosts.updateOne({ _id, putId: holder.putId }, { $set: reservation });
  return taken.matchedCount === 1;
}

function lists(organization: OrganizationRecord, name: string): boolean {
  return organization.hosts.some((host) => host.toLowerCase() === name);
}

function organizationOf(document: OrganizationDocument | null): OrganizationRecord | undefined {
  return document ? JSON.parse(document.record) : undefined;
}
