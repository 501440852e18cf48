import type { OrganizationRecord } from '../../model/organization.ts';

export interface OrganizationStore {
  put(organization: OrganizationRecord): Promise<'stored' | { taken: `host:${string}` }>;
  byId(id: string): Promise<OrganizationRecord | undefined>;
  byHost(host: string): Promise<OrganizationRecord | undefined>;
  list(): Promise<OrganizationRecord[]>;
}
