/**
 * Resource indicators (RFC 8707): which API an access token is for, and which scopes it gets. The provider asks
 * here at every request and again at every issue of a token, so that a grant that an operator took back, or a role
 * that a person lost, counts from the next token on.
 */
import { type Client, type Configuration, errors, type ResourceServer } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import { isImplied } from '../extensions/implied-resource.ts';
import { type ProviderContext, routeOf, type TokenRequest } from '../provider/context.ts';
import { type Api, type ApiRegistry, grantedScopes, isForeign, mayHave } from './apis.ts';

type Feature = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

export interface ApiDeps {
  readonly config: Config;
  readonly apis: ApiRegistry;
  readonly accounts: Pick<AccountStore, 'byId'>;
}

export function resourceIndicators(deps: ApiDeps): Feature {
  return {
    enabled: true,
    defaultResource: async (ctx, client, oneOf) => oneOf ?? (await impliedResource(deps, ctx, client)),
    // A sign-in yields a token for userinfo; a client that names its API at the token endpoint gets that one's.
    useGrantedResource: async (_ctx, source) => isImplied(source),
    getResourceServerInfo: (ctx, identifier, client) => resourceServer(deps, ctx, identifier, client),
  };
}

/* ------------------------------------------------------------------ which API */

/** What a client without the `resource` parameter means: its `audience`, or its default API. None: an empty list. */
async function impliedResource(
  deps: ApiDeps,
  ctx: ProviderContext,
  client: Client,
): Promise<string | string[]> {
  const { params } = ctx.oidc;
  if (params === undefined) return [];
  if (typeof params.audience === 'string') return params.audience;
  const api = await defaultApi(deps, client);
  if (api === undefined || !(isOnItsOwn(ctx) || asksFor(ctx, api))) return [];
  // Goes with the request to where its code is made, and says there that the client did not name the API.
  params.audience = api.identifier;
  return api.identifier;
}

export async function defaultApi({ apis }: Pick<ApiDeps, 'apis'>, client: Client): Promise<Api | undefined> {
  const traits = traitsOf(client);
  const own = traits.defaultApi ?? (await apis.defaultOf(traits.organization));
  const api = own === undefined ? undefined : await apis.find(own);
  return api && grantedScopes(traits, api) && api;
}

/** A request that only signs in is none to the default API: its token is for userinfo. */
function asksFor(ctx: ProviderContext, api: Api): boolean {
  return [...ctx.oidc.requestParamScopes].some((scope) => Object.hasOwn(api.scopes, scope));
}

/* ------------------------------------------------------------------ which scopes */

export async function resourceServer(
  deps: ApiDeps,
  ctx: TokenRequest,
  identifier: string,
  client: Client,
): Promise<ResourceServer> {
  const api = await deps.apis.find(identifier);
  const traits = traitsOf(client);
  const granted = api && grantedScopes(traits, api);
  const account = await accountOf(deps, ctx);
  const whose = isOnItsOwn(ctx)
    ? traits.organization
    : (account?.organization ?? askedOrganization(ctx.oidc.params, traits));
  if (api === undefined || granted === undefined || isForeign(api, whose)) {
    throw new errors.InvalidTarget('there is no such API, or it was not granted to the client', identifier);
  }
  // Until a person has signed in, a request may ask for every scope that some people have.
  const isOpen = account === undefined && routeOf(ctx) !== 'token';
  const scopes = granted.filter((scope) => isOpen || mayHave(api, scope, account));
  if (isOnItsOwn(ctx)) refuseOthers(ctx, scopes);
  return {
    scope: scopes.join(' '),
    audience: api.identifier,
    accessTokenFormat: api.format,
    accessTokenTTL: api.lifetime ?? deps.config.oidc.lifetimes.accessToken,
    ...(api.format === 'jwt' && { jwt: { sign: { alg: api.algorithm } } }),
  };
}

async function accountOf({ accounts }: ApiDeps, ctx: TokenRequest): Promise<AccountRecord | undefined> {
  const id = ctx.oidc.account?.accountId;
  return id === undefined ? undefined : accounts.byId(id);
}

function isOnItsOwn(ctx: TokenRequest): boolean {
  return routeOf(ctx) === 'token' && ctx.oidc.params?.grant_type === 'client_credentials';
}

function refuseOthers(ctx: TokenRequest, granted: readonly string[]): void {
  const other = [...ctx.oidc.requestParamScopes].find((scope) => !granted.includes(scope));
  if (other !== undefined) throw notGranted(other);
}

const notGranted = (scope: string) =>
  new errors.InvalidScope(
    'the client was not granted this scope of the API: ask for less, or have the operator grant it',
    scope,
  );

/**
 * Of an authorization request, before its person signs in: scopes of the APIs that it names were granted to the
 * client, and `audience` and `resource` do not contradict each other.
 */
export function judgeRequest({ apis }: Pick<ApiDeps, 'apis'>) {
  return async (ctx: ProviderContext, audience: string | undefined, client: Client): Promise<void> => {
    const { params, requestParamScopes, resourceServers = {} } = ctx.oidc;
    if (audience !== undefined) refuseContradiction(audience, params?.resource);
    const named = await Promise.all(Object.keys(resourceServers).map((identifier) => apis.find(identifier)));
    const traits = traitsOf(client);
    for (const scope of requestParamScopes) {
      const owners = named.filter((api) => api !== undefined && Object.hasOwn(api.scopes, scope));
      const isGranted = owners.some((api) => api && grantedScopes(traits, api)?.includes(scope));
      if (owners.length > 0 && !isGranted) throw notGranted(scope);
    }
  };
}

function refuseContradiction(audience: string, resource: unknown): void {
  const [one, another] = [resource].flat();
  if (one !== undefined && (one !== audience || another !== undefined)) {
    throw new errors.InvalidRequest('audience and resource must name the same API');
  }
}

/** Once the person is known: of the scopes of each API, those that the person may have. */
export async function narrowToPerson(
  deps: Pick<ApiDeps, 'apis' | 'accounts'>,
  ctx: ProviderContext,
): Promise<void> {
  const servers = Object.entries(ctx.oidc.resourceServers ?? {});
  if (servers.length === 0) return;
  const account = await deps.accounts.byId(String(ctx.oidc.account?.accountId));
  for (const [identifier, server] of servers) {
    const api = await deps.apis.find(identifier);
    server.scope = [...server.scopes].filter((scope) => api && mayHave(api, scope, account)).join(' ');
  }
}
