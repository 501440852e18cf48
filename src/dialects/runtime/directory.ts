/** The organizations as a dialect may see them: its own vendor block, and no other's. */

import { Refused } from '../../core/refused.ts';
import { findOrganization, organizationForHost } from '../../identity/accounts/find-organization.ts';
import type { Identity } from '../../identity/context.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { Directory, OrganizationView } from '../contract/dialect.ts';
import type { Endpoint, RequestView } from '../contract/endpoint.ts';
import type { MountedDialect } from './mounted.ts';

export function organizationView(
  record: OrganizationRecord | undefined,
  vendor: string,
): OrganizationView | undefined {
  return record && { id: record.id, name: record.name, vendor: record.vendor[vendor] };
}

/** `host:443`, `Host` and `host.` are one host. */
function hostAlone(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
}

export function directoryOf(identity: Identity, vendor: string): Directory {
  return {
    byId: async (id) => organizationView(await findOrganization(identity, id), vendor),
    byHost: async (host) => organizationView(await organizationForHost(identity, hostAlone(host)), vendor),
  };
}

/** For one request: it reads an organization once, however many steps ask for it. */
export function directoryOfRequest(identity: Identity, vendor: string): Directory {
  const directory = directoryOf(identity, vendor);
  const known = new Map<string, ReturnType<Directory['byId']>>();
  return {
    ...directory,
    byId(id) {
      const organization = known.get(id) ?? directory.byId(id);
      known.set(id, organization);
      return organization;
    },
  };
}

/** The organization that a request names before its caller is known; undefined: none, or one that is not there. */
export async function organizationNamed(
  identity: Identity,
  { dialect, settings }: MountedDialect,
  { request, endpoint }: { readonly request: RequestView; readonly endpoint: Endpoint },
): Promise<string | undefined> {
  const directory = directoryOf(identity, dialect.name);
  try {
    return await dialect.organization({ request, endpoint, settings, caller: undefined, directory });
  } catch (refusal) {
    if (refusal instanceof Refused) return undefined;
    throw refusal;
  }
}

/** The same, where there is such an organization. */
export async function organizationKnown(
  identity: Identity,
  mounted: MountedDialect,
  at: { readonly request: RequestView; readonly endpoint: Endpoint },
): Promise<string | undefined> {
  const named = await organizationNamed(identity, mounted, at);
  return named === undefined
    ? undefined
    : (await directoryOf(identity, mounted.dialect.name).byId(named))?.id;
}

/** Where the request names no organization. */
export const NO_ORGANIZATION: OrganizationView = { id: '', name: '', vendor: undefined };
