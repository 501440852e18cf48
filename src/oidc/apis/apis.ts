/**
 * APIs (resource servers): clients present access tokens to them. They are records of the store, or entries of
 * `oidc.resources` in the configuration. A client gets a token for an API, and a scope of it, only where an
 * operator has granted that; a scope that names roles goes only to people who have one of them.
 */
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import { keepFresh } from '../../core/keep-fresh.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { ApiRecord } from '../../model/api.ts';
import { type ClientRecord, servesOrganization } from '../../model/client.ts';
import type { ApiStore, OrganizationStore } from '../../store/ports/installation.ts';
import type { ClientTraits } from '../clients/clients.ts';
import type { ScopesOfApi } from '../contract.ts';

export interface Api extends Omit<ApiRecord, 'id' | 'secretHash' | 'organization' | 'lifetime'> {
  readonly organization?: string | undefined;
  readonly lifetime?: number | undefined;
  /** Every client may ask for all of it, as for every API of an older configuration. */
  readonly open: boolean;
}

export type ApiRegistry = ReturnType<typeof createApiRegistry>;

export function createApiRegistry({
  store,
  organizations,
  clock,
  resources,
}: {
  store: ApiStore;
  organizations: Pick<OrganizationStore, 'byId'>;
  clock: Clock;
  resources: Config['oidc']['resources'];
}) {
  const configured = new Map(resources.map((resource) => [resource.identifier, apiOf(resource)]));
  const stored = keepFresh(clock, (identifier) => store.byIdentifier(identifier));
  const organization = keepFresh(clock, (id) => organizations.byId(id));
  return {
    /** Undefined: there is no such API. One that the configuration names is as it says there. */
    async find(identifier: string): Promise<Api | undefined> {
      const api = configured.get(identifier);
      if (api !== undefined) return api;
      const record = await stored(identifier);
      return record && { ...record, open: false };
    },
    /** Of the organization's clients that have none of their own. */
    defaultOf: async (id: string) => (await organization(id))?.defaultApi,
    /** The API as the client that asks about tokens; undefined: no API, or one without a secret. */
    async client(id: string): Promise<ClientRecord | undefined> {
      const record = await store.byId(id);
      return record?.secretHash === undefined ? undefined : clientOf(record, record.secretHash);
    },
  };
}

function apiOf({ scopes, ...resource }: Config['oidc']['resources'][number]): Api {
  return { ...resource, scopes: Object.fromEntries(scopes.map((scope) => [scope, {}])) };
}

/** It has no grant type: authenticating is all that it can do. */
function clientOf({ id, identifier, organization = '' }: ApiRecord, secretHash: string): ClientRecord {
  return {
    ...{ clientId: id, organization, secretHash, allOrganizations: false, firstParty: false },
    ...{ introspects: [], revokes: [], api: identifier },
    metadata: {
      ...{ redirect_uris: [], grant_types: [], response_types: [] },
      token_endpoint_auth_method: 'client_secret_basic',
    },
  };
}

/** The scopes of the API that the client was granted; undefined: none, and no token for it either. */
export function grantedScopes(client: ClientTraits, api: Api): string[] | undefined {
  if (api.organization !== undefined && !servesOrganization(client, api.organization)) return undefined;
  const { apis } = client;
  const all = Object.keys(api.scopes);
  const given = apis.get(api.identifier);
  if (client.unregistered || client.registered) {
    const offered = all.filter((scope) => api.scopes[scope]?.unregistered === true || given?.includes(scope));
    return offered.length > 0 ? offered : undefined;
  }
  if (given === undefined) return api.open ? all : undefined;
  return all.filter((scope) => given.includes(scope));
}

/** Whether an API of one organization takes tokens of another: of a person's, or of a client that acts for itself. */
export function isForeign(api: Api, organization: string | undefined): boolean {
  return organization !== undefined && api.organization !== undefined && api.organization !== organization;
}

/** Whether the scope may be given to the account; undefined: no person is there. */
export function mayHave(api: Api, scope: string, account: AccountRecord | undefined): boolean {
  if (isForeign(api, account?.organization)) return false;
  const { scopes } = api;
  const { roles = [] } = scopes[scope] ?? {};
  return roles.length === 0 || roles.some((role) => account?.roles.includes(role) === true);
}

/** The APIs in words for people, each with those of the scopes that it knows. */
export async function describeApis(
  apis: Pick<ApiRegistry, 'find'>,
  asked: Readonly<Record<string, readonly string[]>>,
): Promise<ScopesOfApi[]> {
  const known = await Promise.all(
    Object.entries(asked).map(async ([identifier, names]) => {
      const { name = identifier, scopes = {} } = (await apis.find(identifier)) ?? {};
      const own = names.filter((scope) => Object.hasOwn(scopes, scope));
      return { name, scopes: Object.fromEntries(own.map((one) => [one, scopes[one]?.description ?? one])) };
    }),
  );
  return known.filter(({ scopes }) => Object.keys(scopes).length > 0);
}
