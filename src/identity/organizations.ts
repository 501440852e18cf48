import type { OrganizationRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function findOrganization(
  _identity: Identity,
  _id: string,
): Promise<OrganizationRecord | undefined> {
  throw new Error('unwritten');
}
export async function organizationForHost(
  _identity: Identity,
  _host: string,
): Promise<OrganizationRecord | undefined> {
  throw new Error('unwritten');
}
