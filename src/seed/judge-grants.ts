/** Clients and organizations of a file may name only APIs that exist: in the file, the store or the configuration. */
import type { Issue } from '../config/issues.ts';
import type { Config } from '../config/schema.ts';
import type { ApiStore } from '../store/ports/installation.ts';
import type { Seed } from './schema.ts';

interface Context {
  readonly stores: { readonly apis: Pick<ApiStore, 'list'> };
  /** `oidc.resources` of the configuration. */
  readonly resources: Config['oidc']['resources'];
  /** Stands for {issuer}. */
  readonly issuer: string;
}

type Known = ReadonlyMap<string, readonly string[]>;

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
    ...clients.flatMap(({ apis = {}, default_api }, index) => [
      ...judgeDefault(`clients.${index}`, default_api),
      ...Object.entries(apis).flatMap(([identifier, scopes]) =>
        judgeGrant(`clients.${index}.apis`, { identifier, scopes, offered: known.get(full(identifier)) }),
      ),
    ]),
  ];
}

/** The scopes of every API, by its identifier. */
export async function knownApis(
  { stores, resources, issuer }: Context,
  { apis = [] }: Pick<Seed, 'apis'>,
): Promise<Known> {
  const ofFile = apis.map(({ identifier, scopes }) => ({
    identifier: identifier.replaceAll('{issuer}', issuer),
    scopes,
  }));
  return new Map([
    ...[...(await stores.apis.list()), ...ofFile].map(
      ({ identifier, scopes }) => [identifier, Object.keys(scopes)] as const,
    ),
    ...resources.map(({ identifier, scopes }) => [identifier, scopes] as const),
  ]);
}

function judgeGrant(
  path: string,
  grant: { identifier: string; scopes: readonly string[]; offered: readonly string[] | undefined },
): Issue[] {
  const { identifier, scopes, offered } = grant;
  if (offered === undefined) return [unknown(path, identifier)];
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
