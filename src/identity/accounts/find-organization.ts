/** Reading organizations, by id or by a host name of theirs. */
import type { OrganizationRecord } from '../../model/organization.ts';
import type { Identity } from '../context.ts';

export function findOrganization(identity: Identity, id: string): Promise<OrganizationRecord | undefined> {
  return identity.stores.organizations.byId(id);
}

/** `host` with or without port, in any case. */
export function organizationForHost(
  identity: Identity,
  host: string,
): Promise<OrganizationRecord | undefined> {
  return identity.stores.organizations.byHost(host.trim().toLowerCase().replace(/:\d*$/, ''));
}
