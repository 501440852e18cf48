import type { ApiRecord } from '../../model/api.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { OrganizationRecord } from '../../model/organization.ts';

export type TakenOfOrganization = `host:${string}` | `email-domain:${string}`;

export interface OrganizationStore {
  put(organization: OrganizationRecord): Promise<'stored' | { taken: TakenOfOrganization }>;
  byId(id: string): Promise<OrganizationRecord | undefined>;
  byHost(host: string): Promise<OrganizationRecord | undefined>;
  byEmailDomain(domain: string): Promise<OrganizationRecord | undefined>;
  list(): Promise<OrganizationRecord[]>;
}

export interface ClientStore {
  put(client: ClientRecord): Promise<void>;
  byId(clientId: string): Promise<ClientRecord | undefined>;
  list(): Promise<ClientRecord[]>;
  remove(clientId: string): Promise<boolean>;
}

export interface ApiStore {
  /** `taken`: another API has the identifier. */
  put(api: ApiRecord): Promise<'stored' | { taken: 'identifier' }>;
  byId(id: string): Promise<ApiRecord | undefined>;
  byIdentifier(identifier: string): Promise<ApiRecord | undefined>;
  list(): Promise<ApiRecord[]>;
  remove(id: string): Promise<boolean>;
}

/** The signing keys, as one encrypted document with a version, so that a rotation is one compare-and-set. */
export interface KeyringStore {
  read(): Promise<{ version: number; encrypted: string } | undefined>;
  /** `expected` 0: only when there is none yet. Stored as expected + 1. False: another write came first. */
  write(encrypted: string, expected: number): Promise<boolean>;
}

/** Small facts about the installation itself: which seed files were loaded, the back end's identity. */
export interface MetadataStore {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** True when it was absent and is now set: for exactly one caller. */
  setOnce(name: string, value: string): Promise<boolean>;
  /** Compare-and-set: false when the value is not `before` any more. */
  replace(name: string, before: string, value: string): Promise<boolean>;
}
