/** Which consent a browser session already has for a client. */
import type Provider from 'oidc-provider';
import type { Grant } from 'oidc-provider';
import { traitsOf } from './clients.ts';
import { type EngineContext, notesOf } from './engine-context.ts';

/**
 * The engine's loadExistingGrant. First-party clients need no consent page: their grant is made here, and
 * widened when they ask for more. A grant that would end before a refresh token made under it is extended,
 * because the person is present. `refreshLifetime`, `grantLifetime`: seconds.
 */
export function createGrantLoader(lifetimes: { refreshToken: number; grant: number }) {
  return async function loadExistingGrant(ctx: EngineContext): Promise<Grant | undefined> {
    const { provider, session, client, account } = ctx.oidc;
    if (!session || !client || !account) return undefined;
    notesOf(ctx).keptAtLogout = persists(session.authorizationFor(client.clientId));
    const result = ctx.oidc.result as { consent?: { grantId?: string } } | undefined;
    const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    let grant: Grant | undefined = grantId ? await provider.Grant.find(grantId) : undefined;
    if (grant?.accountId !== account.accountId) grant = undefined;
    const firstParty = traitsOf(client).firstParty;
    if (!grant && !firstParty) return undefined;
    grant ??= new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    const widened = firstParty && grantEverything(ctx, grant);
    const extended = extend(grant, lifetimes);
    if (widened || extended) await grant.save();
    return grant;
  };
}

function persists(authorization: unknown): boolean {
  return (authorization as { persistsLogout?: boolean } | undefined)?.persistsLogout === true;
}

/** True when something was added. */
function grantEverything(ctx: EngineContext, grant: Grant): boolean {
  const before = JSON.stringify(grant);
  grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes].join(' '));
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims]);
  for (const [resource, server] of Object.entries(ctx.oidc.resourceServers ?? {})) {
    const scopes = [...ctx.oidc.requestParamScopes].filter((scope) => server.scopes.has(scope));
    if (scopes.length > 0) grant.addResourceScope(resource, scopes.join(' '));
  }
  return JSON.stringify(grant) !== before || !grant.jti;
}

function extend(grant: Grant, lifetimes: { refreshToken: number; grant: number }): boolean {
  const now = Math.floor(Date.now() / 1000);
  if (grant.exp === undefined || grant.exp - now >= lifetimes.refreshToken) return false;
  grant.exp = now + lifetimes.grant;
  return true;
}

/** Grants all that an interaction's client asked for, and stores it. Resolves with the grant's id. */
export async function grantWhatIsMissing(
  provider: Provider,
  facts: {
    accountId: string;
    clientId: string;
    grantId: string | undefined;
    missing: {
      scopes: readonly string[];
      claims: readonly string[];
      resources: Readonly<Record<string, readonly string[]>>;
    };
  },
): Promise<string> {
  const { accountId, clientId, grantId, missing } = facts;
  let grant: Grant | undefined = grantId ? await provider.Grant.find(grantId) : undefined;
  if (grant?.accountId !== accountId || grant.clientId !== clientId) grant = undefined;
  grant ??= new provider.Grant({ accountId, clientId });
  if (missing.scopes.length > 0) grant.addOIDCScope(missing.scopes.join(' '));
  if (missing.claims.length > 0) grant.addOIDCClaims([...missing.claims]);
  for (const [resource, scopes] of Object.entries(missing.resources)) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}
