/** Reading organizations, by id, by a host name or by an email domain of theirs. */
import { emailDomain } from '../../core/text.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { Identity } from '../context.ts';

export function findOrganization(identity: Identity, id: string): Promise<OrganizationRecord | undefined> {
  return identity.stores.organizations.byId(id);
}

/** Whose email domain the address has. */
export async function organizationForEmail(
  identity: Identity,
  email: string,
): Promise<OrganizationRecord | undefined> {
  const domain = emailDomain(email);
  return domain === undefined ? undefined : identity.stores.organizations.byEmailDomain(domain);
}

/** `host` with or without port, in any case. */
export function organizationForHost(
  identity: Identity,
  host: string,
): Promise<OrganizationRecord | undefined> {
  return identity.stores.organizations.byHost(host.trim().toLowerCase().replace(/:\d*$/, ''));
}
