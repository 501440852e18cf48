/**
 * Clients and organizations of a file may name only APIs that exist (in the file, the store or the configuration), and
 * whose tokens they can get.
 */
import type { Issue } from '../config/issues.ts';
import type { Config } from '../config/schema.ts';
import { organizationsIn, servesOrganization } from '../model/client.ts';
import type { ApiStore } from '../store/ports/installation.ts';
import type { Seed, SeedClient } from './schema.ts';

interface Context {
  readonly stores: { readonly apis: Pick<ApiStore, 'list'> };
  /** `oidc.resources` of the configuration. */
  readonly resources: Config['oidc']['resources'];
  /** Stands for {issuer}. */
  readonly issuer: string;
}

export interface KnownApi {
  readonly scopes: readonly string[];
  readonly organization?: string | undefined;
  /** No client needs a grant. */
  readonly open?: boolean;
}

export async function judgeGrants(context: Context, seed: Seed): Promise<Issue[]> {
  const { organizations = [], clients = [] } = seed;
  const known = await knownApis(context, seed);
  const full = (identifier: string) => identifier.replaceAll('{issuer}', context.issuer);
  const judgeDefault = (path: string, identifier: string | undefined) =>
    identifier === undefined || known.has(full(identifier))
      ? []
      : [unknown(`${path}.default_api`, identifier)];
  return [
    ...organizations.flatMap((one, index) => judgeDefault(`organizations.${index}`, one.default_api)),
    ...clients.flatMap((client, index) => [
      ...judgeDefault(`clients.${index}`, client.default_api),
      ...judgeUngranted(`clients.${index}`, client, known.get(full(client.default_api ?? ''))),
      ...Object.entries(client.apis ?? {}).flatMap(([identifier, scopes]) =>
        judgeGrant(`clients.${index}.apis`, { client, identifier, scopes, api: known.get(full(identifier)) }),
      ),
    ]),
  ];
}

/** Every API, by its identifier. */
export async function knownApis(
  { stores, resources, issuer }: Context,
  { apis = [] }: Pick<Seed, 'apis'>,
): Promise<ReadonlyMap<string, KnownApi>> {
  const ofFile = apis.map((api) => ({ ...api, identifier: api.identifier.replaceAll('{issuer}', issuer) }));
  const defined = [...(await stores.apis.list()), ...ofFile].map(({ scopes, ...api }) => ({
    ...api,
    scopes: Object.keys(scopes),
  }));
  return new Map([...defined, ...resources].map((api) => [api.identifier, api]));
}

function judgeUngranted(path: string, client: SeedClient, api: KnownApi | undefined): Issue[] {
  const { default_api: identifier, apis = {} } = client;
  if (identifier === undefined || api === undefined || api.open || Object.hasOwn(apis, identifier)) return [];
  const message = 'must be among the apis of the client: it was not granted';
  return [{ path: `${path}.default_api`, value: JSON.stringify(identifier), message }];
}

function judgeGrant(
  path: string,
  grant: {
    client: SeedClient;
    identifier: string;
    scopes: readonly string[];
    api: KnownApi | undefined;
  },
): Issue[] {
  const { client, identifier, scopes, api } = grant;
  if (api === undefined) return [unknown(path, identifier)];
  const serving = { ...client, organizations: organizationsIn(client.organizations) };
  if (api.organization !== undefined && !servesOrganization(serving, api.organization)) {
    const message = `must not have ${identifier}: it is for clients of the organization ${api.organization}`;
    return [{ path, message }];
  }
  const { scopes: offered } = api;
  return scopes
    .filter((scope) => !offered.includes(scope))
    .map((scope) => ({
      path,
      value: JSON.stringify(scope),
      message: `must be a scope of ${identifier}: ${offered.join(', ') || 'it has none'}`,
    }));
}

function unknown(path: string, identifier: string): Issue {
  const message = 'must be the identifier of an API that exists, in this file, the store or oidc.resources';
  return { path, value: JSON.stringify(identifier), message };
}
